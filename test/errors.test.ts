import { describe, expect, it } from 'vitest';
import { createPrinter } from '../src/cli/printer.ts';
import { errorOfRefusal } from '../src/hub/errors.ts';
import { collector } from './support/collector.ts';

describe('errors', () => {
  it('show the message of the Hub on one line, with control characters escaped', () => {
    const { message } = errorOfRefusal(
      {
        address: 'https://huggingface.co/x',
        status: 500,
        errorCode: undefined,
        errorMessage: 'our\n fault \u001b[2J\u202e',
        requestId: undefined,
      },
      { type: 'model', id: 'org/name' },
      { endpoint: 'https://huggingface.co', hasToken: false },
    );
    expect(message).toBe('the Hub answers 500 for model org/name: our fault \\u001b[2J\\u202e');
  });

  it('EHUG_INTERNAL shows a defect with its stack and the causes', () => {
    const stderr = collector();
    const output = createPrinter(
      { stdout: collector().stream, stderr: stderr.stream },
      {
        json: false,
        quiet: false,
        debug: false,
        color: false,
        colorResults: false,
        secrets: new Set(['s3cret']),
      },
    );
    const status = output.error(new TypeError('x of s3cret', { cause: new Error('beneath') }));
    expect(status).toBe(1);
    expect(stderr.text()).toContain('error EHUG_INTERNAL: this is a defect of nix-hug: x of ***');
    expect(stderr.text()).toContain('errors.test.ts');
    expect(stderr.text()).toContain('caused by: Error: beneath');
  });
});
