import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addEntries, removeEntries } from '../../src/manifest/edit.ts';
import type { NewEntry } from '../../src/manifest/edit-entry.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import type { EntryFile } from '../../src/manifest/schema.ts';

const add = (text: string, value: EntryFile = 'org/new', entry: Partial<NewEntry> = {}) =>
  addEntries(text, 'hug.yaml', [{ name: 'new', type: 'model', value, ...entry }]);
const remove = (text: string, name = 'new', type: NewEntry['type'] = 'model') =>
  removeEntries(text, 'hug.yaml', [{ name, type }]);

const names = (text: string) =>
  parseManifest(text, 'hug.yaml').entries.map(({ name, type }) => `${type}s.${name}`);

const isValid = (text: string) => {
  try {
    parseManifest(text, 'hug.yaml');
    return true;
  } catch {
    return false;
  }
};

function unlessRefused(edit: () => string): string | undefined {
  try {
    return edit();
  } catch (error) {
    expect(error).toMatchObject({ code: 'EHUG_MANIFEST_STYLE' });
    return undefined;
  }
}

/** Whether `whole` is `part` with one piece more. */
function isOnePieceMore(whole: string, part: string): boolean {
  let same = 0;
  while (same < part.length && whole[same] === part[same]) same += 1;
  // The piece may begin where the texts still look the same.
  for (let at = same; at >= 0; at -= 1) {
    const piece = whole.length - part.length;
    if (whole.slice(0, at) + whole.slice(at + piece) === part) return true;
  }
  return false;
}

/** Whether every line of `part` is in `whole`, in order. */
function hasAllLines(whole: string, part: string): boolean {
  const lines = whole.split(/\r?\n/u);
  return part.split(/\r?\n/u).every((line) => {
    const at = lines.indexOf(line);
    lines.splice(0, at + 1);
    return at !== -1;
  });
}

function isSubsequence(whole: string, part: string): boolean {
  let at = 0;
  for (const character of whole) if (part.startsWith(character, at)) at += character.length;
  return at === part.length;
}

const isFlow = (text: string, type: NewEntry['type']) =>
  new RegExp(`^ *["']?${type}s["']?: \\{`, 'mu').test(text);

/** A section without a value or a comment, at the end: what `add` makes looks the same. */
const likeMade = (type: NewEntry['type']) =>
  new RegExp(`^(?:(?:[^]*\\n)?[ \\t]*\\r?\\n)?[ \\t]*${type}s:\\s*(?:\\.\\.\\.[^]*)?$`, 'u');

// ---- manifests in every form ----

const comment = fc.constantFrom('# note', '# a: b', '#', '# ä: [x, {y', '#no space', "# it's");
const spaces = (max: number) => fc.integer({ min: 0, max }).map((width) => ' '.repeat(width));

/** Lines that mean nothing, at any column. */
const filler = fc.array(
  fc.oneof(
    fc.constant(''),
    spaces(2),
    fc.tuple(spaces(6), comment).map((parts) => parts.join('')),
  ),
  { maxLength: 3 },
);
const tail = fc.option(comment, { nil: undefined }).map((text) => (text ? `  ${text}` : ''));

const quoted = (text: string) => fc.constantFrom(text, `"${text}"`, `'${text}'`);
const repo = fc.constantFrom('org/one', 'org/two').chain(quoted);
const globs = fc.constantFrom('["*.bin"]', "['*.bin', 'data/']", '[ a, "b"  , ]');

const flowValue = fc.oneof(
  repo,
  repo.map((text) => `{ repo: ${text}, ref: dev }`),
  fc.tuple(repo, globs).map(([text, list]) => `{repo: ${text}, include: ${list}}`),
);

/** An entry as lines, from column `column` on. */
const blockEntry = (name: string, column: number, step: number) => {
  const margin = ' '.repeat(column);
  const inner = ' '.repeat(column + step);
  const fields = fc
    .tuple(repo, globs, filler, filler, tail)
    .map(([text, list, above, between, note]) => [
      ...above,
      `${inner}repo: ${text}${note}`,
      ...between,
      `${inner}include: ${list}${note}`,
    ]);
  const list = repo.map((text) => [
    `${inner}repo: ${text}`,
    `${inner}files:`,
    `${inner}  - a b.txt`,
    `${inner}  - "c"`,
  ]);
  const folded = fc.constant([`${inner}repo: >-`, `${inner}  org/one`, '']);
  return fc.tuple(quoted(name), tail).chain(([key, note]) =>
    fc.oneof(
      flowValue.map((value) => [`${margin}${key}: ${value}${note}`]),
      fc.oneof(fields, list, folded).map((lines) => [`${margin}${key}:${note}`, ...lines]),
    ),
  );
};

const blockSection = (name: string, margin: number) =>
  fc
    .record({
      key: quoted(name),
      step: fc.integer({ min: 1, max: 4 }),
      inner: fc.integer({ min: 1, max: 4 }),
      count: fc.integer({ min: 1, max: 3 }),
      spaced: fc.boolean(),
      note: tail,
    })
    .chain(({ key, step, inner, count, spaced, note }) =>
      fc
        .tuple(
          ...['a', 'b-c', '_d']
            .slice(0, count)
            .map((entry) =>
              fc
                .tuple(filler, blockEntry(entry, margin + step, inner))
                .map(([above, lines]) =>
                  spaced ? ['', ...above, ...lines] : [...above, ...lines],
                ),
            ),
        )
        .map((entries) => [`${' '.repeat(margin)}${key}:${note}`, ...entries.flat()]),
    );

const inlineFlow = fc
  .tuple(fc.array(flowValue, { maxLength: 3 }), spaces(2), fc.constantFrom('', ',', ' ,'))
  .map(([values, pad, comma]) => {
    const items = values.map((value, index) => `${'abc'[index]}: ${value}`).join(', ');
    return `{${pad}${items}${items === '' ? '' : comma}${pad}}`;
  });

const tallFlow = (margin: number) =>
  fc
    .tuple(
      fc.array(fc.tuple(flowValue, tail, spaces(2), fc.option(comment, { nil: '' })), {
        maxLength: 3,
      }),
      fc.boolean(),
    )
    .map(([values, comma]) => [
      '{',
      ...values.flatMap(([text, note, more, below], index) => {
        const end = index < values.length - 1 || comma ? ',' : '';
        return [
          `${' '.repeat(margin + 2)}${'abc'[index]}: ${text}${end}${note}`,
          `${' '.repeat(margin + 1)}${more}${below}`,
        ];
      }),
      `${' '.repeat(margin + 1)}}`,
    ]);

const section = (name: string, margin: number) => {
  const start = ' '.repeat(margin) + name;
  return fc.oneof(
    { weight: 4, arbitrary: blockSection(name, margin) },
    {
      weight: 1,
      arbitrary: fc.tuple(tail, filler).map(([note, below]) => [`${start}:${note}`, ...below]),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(inlineFlow, tail).map(([flow, note]) => [`${start}: ${flow}${note}`]),
    },
    {
      weight: 1,
      arbitrary: tallFlow(margin).map(([first, ...rest]) => [`${start}: ${first}`, ...rest]),
    },
  );
};

const manifest = fc
  .record({
    margin: fc.constantFrom(0, 0, 0, 2),
    which: fc.shuffledSubarray(['models', 'datasets', 'endpoint']),
    newline: fc.constantFrom('\n', '\n', '\r\n'),
    begin: fc.constantFrom([], [], ['---'], ['%YAML 1.2', '---'], ['--- # start']),
    end: fc.constantFrom([], [], ['...'], ['...', '# after']),
    final: fc.boolean(),
  })
  .chain(({ margin, which, newline, begin, end, final }) =>
    fc
      .tuple(
        filler,
        fc.tuple(
          ...which.map((name) =>
            fc.tuple(
              name === 'endpoint'
                ? tail.map((note) => [`${' '.repeat(margin)}endpoint: https://hub.example${note}`])
                : section(name, margin),
              filler,
            ),
          ),
        ),
      )
      .map(([first, sections]) => {
        const lines = [...begin, ...first, ...sections.flat(2), ...end];
        return lines.join(newline) + (final && lines.length > 0 ? newline : '');
      }),
  )
  .filter(isValid);

/** The same with something out of the ordinary somewhere. */
const oddManifest = fc
  .tuple(
    manifest,
    fc.array(
      fc.tuple(
        fc.nat({ max: 500 }),
        fc.constantFrom(
          '\t',
          '\r',
          '&x ',
          '*x',
          '!!str ',
          '!!map ',
          '? ',
          '\n',
          ' #c',
          '\t# c',
          '|-\n',
          '"',
          '>+\n\n',
          '\u2028',
          '\u0085',
          ',',
          '---\n',
          '...\n',
          '\n\n\n',
          '  ',
          '#',
          '{}',
          '~',
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([text, pieces]) =>
    pieces.reduce((odd, [at, piece]) => {
      const offset = at % (odd.length + 1);
      return odd.slice(0, offset) + piece + odd.slice(offset);
    }, text),
  )
  .filter(isValid);

const value: fc.Arbitrary<EntryFile> = fc.oneof(
  fc.constantFrom('org/new', 'gpt2', '1234', 'true/False'),
  fc.record(
    {
      repo: fc.constantFrom('org/new', '123'),
      ref: fc.constantFrom(
        'main',
        '1'.repeat(40),
        `${'1'.repeat(20)}e${'2'.repeat(19)}`,
        'refs/pr/1',
      ),
      include: fc.constantFrom(['*.bin'], ['a, b', "it's", '{x,y}']),
      exclude: fc.constantFrom(['data/'], ['#', ': ', '"']),
    },
    { requiredKeys: ['repo'], noNullPrototype: true },
  ),
  fc.constant({ repo: 'org/new', version: '^1.2 || >=3' }),
  fc.constant({ repo: 'org/new', version: '1' }),
  fc.constant({ repo: 'org/new', files: ['a b', '- c', 'd #e', 'xy: z', 'ä,[]'] }),
);
const type = fc.constantFrom('model', 'dataset');

describe('add, then remove', () => {
  it('gives the original bytes, whatever the file looks like', () => {
    const seen = { same: 0, likeMade: 0 };
    fc.assert(
      fc.property(manifest, value, type, (before, entry, kind) => {
        const after = add(before, entry, { type: kind });
        const back = remove(after, 'new', kind);
        if (back !== before) {
          // The one exception, which `removeEntry` documents.
          expect(before).toMatch(likeMade(kind));
          expect(isOnePieceMore(before, back), JSON.stringify({ before, back })).toBe(true);
        }
        seen[back === before ? 'same' : 'likeMade'] += 1;
      }),
      { numRuns: 300 },
    );
    expect(seen.same).toBeGreaterThan(250);
  });
});

describe('add, then remove, where something is out of the ordinary', () => {
  it('gives the original bytes, unless one of them refuses', () => {
    fc.assert(
      fc.property(oddManifest, value, type, (before, entry, kind) => {
        const after = unlessRefused(() => add(before, entry, { type: kind }));
        if (after === undefined) return;
        expect(isSubsequence(after, before)).toBe(true);
        const back = unlessRefused(() => remove(after, 'new', kind));
        if (back === undefined || back === before) return;
        // A comma on a line of its own moves up to its item.
        if (isFlow(before, kind)) {
          expect(back.replaceAll(/[\s,]/gu, '')).toBe(before.replaceAll(/[\s,]/gu, ''));
          return;
        }
        expect(before).toMatch(likeMade(kind));
        expect(isOnePieceMore(before, back)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('add of an entry that is there', () => {
  it('changes its fields and keeps other entries and all comments', () => {
    const comments = (text: string) => text.match(/#.*$/gmu)?.length ?? 0;
    const seen = { changed: 0, refused: 0 };
    fc.assert(
      fc.property(manifest, value, fc.nat(), (before, to, at) => {
        const { entries } = parseManifest(before, 'hug.yaml');
        const entry = entries[at % entries.length];
        if (entry === undefined) return;
        const { name, type: kind } = entry;
        const after = unlessRefused(() => add(before, to, { name, type: kind }));
        seen[after === undefined ? 'refused' : 'changed'] += 1;
        if (after === undefined) return;
        const others = (text: string) =>
          parseManifest(text, 'hug.yaml').entries.map((each) =>
            each.name === name && each.type === kind
              ? [name, kind]
              : { ...each, position: undefined },
          );
        expect(others(after)).toEqual(others(before));
        // Comments inside of a field that is removed go with it.
        const isKept = Object.keys(entry.select ?? {}).every((key) =>
          Object.hasOwn(Object(to), key),
        );
        if (isKept) expect(comments(after)).toBeGreaterThanOrEqual(comments(before));
        expect(add(after, to, { name, type: kind })).toBe(after);
      }),
      { numRuns: 300 },
    );
    // About a fifth is refused; the bound is far enough from it to hold for every seed.
    expect(seen.refused).toBeLessThan(seen.changed / 2);
  });

  it.each([
    ['text', 'models:\n  new: org/old # why\n', 'models:\n  new: org/new # why\n', 'org/new'],
    [
      'text that becomes a map',
      'models:\n  new: org/new # why\n  b: c\n',
      'models:\n  new: {repo: org/new, ref: dev} # why\n  b: c\n',
      { repo: 'org/new', ref: 'dev' },
    ],
    [
      'a map',
      'models:\n  new:\n    # where\n    repo: org/new # what\n    ref: dev # when\n\n  b: c\n',
      'models:\n  new:\n    # where\n    repo: org/new # what\n    ref: v1 # when\n    include: ["*.bin"]\n\n  b: c\n',
      { repo: 'org/new', ref: 'v1', include: ['*.bin'] },
    ],
    [
      'a map that loses a field',
      'models:\n  new:\n    repo: org/new\n    files:\n      - a\n      - b\n    ref: dev\n# end\ndatasets:\n',
      'models:\n  new:\n    repo: org/new\n    ref: dev\n# end\ndatasets:\n',
      { repo: 'org/new', ref: 'dev' },
    ],
    [
      'a list of lines',
      'models:\n  new:\n    files: # which\n      - a\n    repo: org/new\n',
      'models:\n  new:\n    files: [b] # which\n    repo: org/new\n',
      { repo: 'org/new', files: ['b'] },
    ],
    [
      'a flow map',
      'models:\n  new: { repo: org/new, ref: dev } # why\n',
      'models:\n  new: { repo: org/new, version: ^1 } # why\n',
      { repo: 'org/new', version: '^1' },
    ],
    [
      'JSON',
      '{"models": {"new": {"repo": "org/new"}}}',
      '{"models": {"new": {"repo": "org/new", "ref": "dev"}}}',
      { repo: 'org/new', ref: 'dev' },
    ],
    [
      'the last entry of a section before another',
      'models:\n  a: b\n  new:\n    repo: org/new\n\n# theirs\ndatasets:\n  c: d\n',
      'models:\n  a: b\n  new:\n    repo: org/new\n    ref: dev\n\n# theirs\ndatasets:\n  c: d\n',
      { repo: 'org/new', ref: 'dev' },
    ],
  ] as const)('changes %s in its place', (_, before, after, to) => {
    expect(add(before, to as EntryFile)).toBe(after);
  });

  it.each([
    ['an alias', 'models:\n  a: &it { repo: org/new }\n  new: *it\n'],
    ['repeated elsewhere', 'models:\n  new: &it { repo: org/new }\n  b: *it\n'],
    [
      'with a field repeated elsewhere',
      'models:\n  new: { repo: org/new, ref: &r v1 }\n  b: { repo: c, ref: *r }\n',
    ],
  ])('refuses one that is %s', (_, before) => {
    const change = () => add(before, { repo: 'org/new', ref: 'dev' });
    expect(change).toThrow(expect.objectContaining({ code: 'EHUG_MANIFEST_STYLE' }));
  });
});

describe('add', () => {
  it('changes nothing but what it adds', () => {
    fc.assert(
      fc.property(manifest, value, type, (before, entry, kind) => {
        const after = add(before, entry, { type: kind });
        const old = names(before);
        const models = old.filter((name) => name.startsWith('models.'));
        const at = kind === 'model' ? models.length : old.length;
        expect(names(after)).toEqual(old.toSpliced(at, 0, `${kind}s.new`));
        // In a flow map with an item on each line, the one above gets a comma as well.
        const commas = isFlow(before, kind) ? [...after.matchAll(/,/gu)] : [];
        const variants = commas.map(({ index }) => after.slice(0, index) + after.slice(index + 1));
        const isOne = [after, ...variants].some((whole) => isOnePieceMore(whole, before));
        expect(isOne, JSON.stringify({ before, after })).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('remove', () => {
  it('takes whole lines of block style, and leaves the others as they are', () => {
    fc.assert(
      fc.property(manifest, (before) => {
        for (const { name, type: kind } of parseManifest(before, 'hug.yaml').entries) {
          const after = remove(before, name, kind);
          expect(names(after)).toEqual(
            names(before).filter((other) => other !== `${kind}s.${name}`),
          );
          expect(isFlow(before, kind) || hasAllLines(before, after)).toBe(true);
          expect(isSubsequence(before, after)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('add, in the style of the file', () => {
  it.each([
    ['an empty file', '', 'models:\n  new: org/new\n'],
    ['comments only', '# ours\n\n\n', '# ours\n\nmodels:\n  new: org/new\n\n\n'],
    ['no final newline', 'models:\n  a: b', 'models:\n  a: b\n  new: org/new'],
    ['Windows', 'models:\r\n  a: b\r\n', 'models:\r\n  a: b\r\n  new: org/new\r\n'],
    [
      'another section',
      'datasets:\n    "a": "b"\n',
      'datasets:\n    "a": "b"\n\nmodels:\n    "new": "org/new"\n',
    ],
    ['a section without a value', 'models:\ndatasets:\n', 'models:\n  new: org/new\ndatasets:\n'],
    [
      'a section of comments',
      'models: # ours\n  # a: b\n\n# theirs\ndatasets:\n',
      'models: # ours\n  # a: b\n  new: org/new\n\n# theirs\ndatasets:\n',
    ],
    ['an empty map', 'models: {}\n', 'models: {new: org/new}\n'],
    ['an empty map with a space', 'models: { }\n', 'models: { new: org/new }\n'],
    ['a flow map', 'models: { a: b } # c\n', 'models: { a: b, new: org/new } # c\n'],
    ['a final comma', 'models: { a: b, }\n', 'models: { a: b, new: org/new, }\n'],
    [
      'JSON',
      '{\n  "models": {\n    "a": "b"\n  }\n}\n',
      '{\n  "models": {\n    "a": "b",\n    "new": "org/new"\n  }\n}\n',
    ],
    [
      'items with a line each',
      'models: {\n  a: b, # c\n  d: e # f\n  # g\n  }\n',
      'models: {\n  a: b, # c\n  d: e, # f\n  new: org/new\n  # g\n  }\n',
    ],
    [
      'blank lines between entries',
      'models:\n  a: b\n\n  c: d\n\ndatasets:\n',
      'models:\n  a: b\n\n  c: d\n\n  new: org/new\n\ndatasets:\n',
    ],
    [
      'comments below the last entry',
      'models:\n  a:\n    repo: b\n    # ref: c\n  # d: e\n# next\ndatasets:\n',
      'models:\n  a:\n    repo: b\n    # ref: c\n  # d: e\n  new: org/new\n# next\ndatasets:\n',
    ],
    [
      'markers',
      '---\nmodels:\n  a: b\n...\n# end',
      '---\nmodels:\n  a: b\n  new: org/new\n...\n# end',
    ],
    [
      'an anchor and its alias',
      'models:\n  a: &it org/a\n  b: *it\n',
      'models:\n  a: &it org/a\n  b: *it\n  new: org/new\n',
    ],
  ])('%s', (_, before, after) => {
    expect(add(before)).toBe(after);
  });

  it('writes fields with the quotes and the indentation of the neighbours', () => {
    const picky = { repo: 'org/new', ref: '1'.repeat(40), include: ['*.bin'], exclude: ['data/'] };
    expect(add('models:\n  a: b\n', picky)).toBe(
      `models:\n  a: b\n  new:\n    repo: org/new\n    ref: "${picky.ref}"\n    include: ["*.bin"]\n    exclude: ["data/"]\n`,
    );
    expect(add("models:\n  a:\n     repo: 'b'\n", { repo: 'c', files: ['x y'] })).toBe(
      "models:\n  a:\n     repo: 'b'\n  new:\n     repo: 'c'\n     files: ['x y']\n",
    );
    expect(add('models: {"a":"b"}', { repo: 'org/new', include: ['*'] })).toBe(
      'models: {"a":"b", "new": {"repo": "org/new", "include": ["*"]}}',
    );
  });
});

describe('several entries at once', () => {
  const model = (name: string) => ({ name, type: 'model', value: `org/${name}` }) as const;
  const dataset = (name: string) => ({ name, type: 'dataset', value: `org/${name}` }) as const;
  const edited = (text: string) =>
    addEntries(text, 'hug.yaml', [model('x'), dataset('y'), model('z')]);

  it.each([
    ['an empty file', '', 'models:\n  x: org/x\n  z: org/z\n\ndatasets:\n  y: org/y\n'],
    [
      'blank lines between entries',
      'datasets: {}\nmodels:\n  a: b\n\n  c: d # e',
      'datasets: {y: org/y}\nmodels:\n  a: b\n\n  c: d # e\n\n  x: org/x\n\n  z: org/z',
    ],
    [
      'items with a line each',
      'models: {\n  a: b, # c\n}\n',
      'models: {\n  a: b, # c\n  x: org/x,\n  z: org/z,\n}\n\ndatasets:\n  y: org/y\n',
    ],
    [
      'a flow map',
      'models: { a: b }',
      'models: { a: b, x: org/x, z: org/z }\n\ndatasets:\n  y: org/y',
    ],
  ])('%s', (_, before, after) => {
    expect(edited(before)).toBe(after);
    expect(removeEntries(after, 'hug.yaml', [model('x'), dataset('y'), model('z')])).toBe(before);
  });

  it('names all of them when one cannot be added', () => {
    expect(() => edited('datasets: ~\n')).toThrow(
      'models.x, datasets.y, models.z cannot be written',
    );
  });
});

describe('a manifest in an unusual style is refused, not damaged', () => {
  const refused = expect.objectContaining({ code: 'EHUG_MANIFEST_STYLE', exitStatus: 2 });

  it.each([
    ['a written null', 'models: ~\n'],
    ['a carriage return alone', 'models: {} # c\r# d\n'],
    ['a null for all', 'null\n'],
    ['a flow map for all, without the section', '{ datasets: {} }\n'],
    ['a section that is an alias', 'datasets: &it\n  a: b\nmodels: *it\n'],
    ['a section that is repeated elsewhere', 'models: &it\n  a: b\ndatasets: *it\n'],
  ])('by add: %s', (_, text) => {
    expect(isValid(text)).toBe(true);
    expect(() => add(text)).toThrow(refused);
  });

  it.each([
    ['an anchor that is used later', 'models:\n  new: &it b\n  a: *it\n'],
    ['a carriage return alone', 'models:\n  new: b # c\r  # d\n'],
    ['a section that is an alias', 'datasets: &it\n  new: b\nmodels: *it\n'],
  ])('by remove: %s', (_, text) => {
    expect(isValid(text)).toBe(true);
    expect(() => remove(text)).toThrow(refused);
  });
});

describe('remove', () => {
  it.each([
    ['the only entry', 'models:\n  new: b\ndatasets:\n', 'models:\ndatasets:\n'],
    [
      'a section like those of add',
      'datasets:\n  a: b\n\nmodels:\n  new: b\n',
      'datasets:\n  a: b\n',
    ],
    ['a section with a comment', 'models: # ours\n  new: b\n', 'models: # ours\n'],
    ['an explicit key', 'models:\n  ? new\n  : b\n  a: b\n', 'models:\n  a: b\n'],
    [
      'comments inside, and not those above',
      'models:\n  # above\n  new: # beside\n    # inside\n    repo: b\n\n    # deeper\n  # below\n  c: d\n',
      'models:\n  # above\n  # below\n  c: d\n',
    ],
    ['a blank line', 'models:\n  a: b\n\n  new: c\n\n  d: e\n', 'models:\n  a: b\n\n  d: e\n'],
    ['the first of several', 'models:\n  new: b\n\n  c: d\n', 'models:\n  c: d\n'],
    ['a group', 'models:\n  a: b\n\n  new: c\n  d: e\n', 'models:\n  a: b\n\n  d: e\n'],
    ['a block scalar', 'models:\n  new:\n    repo: >-\n      b\n\n  c: d\n', 'models:\n  c: d\n'],
    ['the first of a flow map', 'models: {new: a, b: c}', 'models: {b: c}'],
    ['the last of a flow map', 'models: { b: c, new: a }', 'models: { b: c }'],
    ['the middle of a flow map', 'models: { b: c, new: a, d: e, }', 'models: { b: c, d: e, }'],
  ])('%s', (_, before, after) => {
    expect(remove(before)).toBe(after);
  });
});
