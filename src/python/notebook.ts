import { asPlainObject } from '../plain-object.ts';

/** A place in a file: a line, or a line in a cell of a notebook, both counted from 1. */
export interface SourcePlace {
  readonly line: number;
  /** The code cell, counted without those of text. */
  readonly cell?: number;
}

/** A Python source, and where its lines stand in its file. */
export interface PythonSource {
  readonly text: string;
  readonly placeOf: (line: number) => SourcePlace;
}

/** Cells whose first line says that the rest is Python all the same. */
const PYTHON_CELL = /^%%(?:time|timeit|capture|prun)\b/u;

/** A line for IPython rather than Python. */
const MAGIC = /^(?<indent>\s*)[!%?]/u;

/**
 * The code cells of a Jupyter notebook (nbformat 4) as one source, so that a cell knows the names of
 * others.
 *
 * @returns `undefined` when it is no notebook
 */
export function readNotebook(text: string): PythonSource | undefined {
  const cells = cellsOf(text);
  if (cells === undefined) return undefined;
  const lines: string[] = [];
  const places: SourcePlace[] = [];
  for (const [index, cell] of cells.entries()) {
    for (const [at, line] of pythonLines(cell).entries()) {
      lines.push(line);
      places.push({ cell: index + 1, line: at + 1 });
    }
  }
  return { text: lines.join('\n'), placeOf: (line) => places[line - 1] ?? { line } };
}

/** The texts of the code cells. */
function cellsOf(text: string): readonly string[] | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { cells, metadata } = asPlainObject(data);
  if (!Array.isArray(cells)) return undefined;
  const { language } = asPlainObject(asPlainObject(metadata)['kernelspec']);
  if (typeof language === 'string' && !/^i?python/iu.test(language)) return [];
  return cells.flatMap((cell: unknown) => {
    const { cell_type: type, source } = asPlainObject(cell);
    if (type !== 'code') return [];
    return Array.isArray(source) ? source.join('') : String(source);
  });
}

/** Lines of a cell; those for IPython are empty statements, so that the lines keep their numbers. */
function pythonLines(cell: string): readonly string[] {
  const lines = cell.split(/\r\n|[\r\n]/u);
  if (cell.startsWith('%%') && !PYTHON_CELL.test(cell)) return lines.map(() => '');
  let isContinued = false;
  return lines.map((line) => {
    const { indent } = MAGIC.exec(line)?.groups ?? {};
    if (!isContinued && indent === undefined) return line;
    const wasContinued = isContinued;
    isContinued = line.endsWith('\\');
    return wasContinued ? '' : `${indent ?? ''}pass`;
  });
}
