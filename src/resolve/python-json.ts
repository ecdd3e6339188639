/** A string, also one without an end, or a number that Python writes and JSON does not have. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\[\s\S]?[^"\\]*)*(?:"|$)|-?Infinity|NaN/gu;

/**
 * Reads JSON as the `json` of Python does, which also writes `NaN` and `Infinity`: they become `null`
 * here. Real configurations have them, such as `"time_step_limit": [0.0, Infinity]`.
 *
 * @throws SyntaxError when Python, too, cannot read it
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(STRING_OR_NUMBER, (part) => (part[0] === '"' ? part : 'null')));
  }
}
