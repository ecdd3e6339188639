import { copyFile, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createExampleRepos } from '../support/example-repos.ts';
import { buildPackage } from '../support/flake.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { describeNix, nixString, PKGS } from '../support/nix.ts';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const EXAMPLE = path.join(REPOSITORY, 'examples', 'minimal');

describeNix('package.nix', (nix) => {
  let hub: Hub;
  let built: string;

  beforeAll(async () => {
    hub = await startHub();
    await createExampleRepos(hub);
    built = await buildPackage(nix());
  });
  afterAll(() => hub.close());

  /** Runs the built command line, where no nixpkgs can be found. */
  const run = async (...argv: readonly string[]) => {
    const env = [`HF_ENDPOINT=${hub.endpoint}`, 'NIX_PATH='];
    const program = path.join(built, 'bin', 'nix-hug');
    const { status, stdout, stderr } = await nix().run('env', ...env, program, ...argv);
    expect(status, stderr).toBe(0);
    return stdout;
  };

  it('has the version of package.json', async () => {
    const { version } = JSON.parse(await readFile(path.join(REPOSITORY, 'package.json'), 'utf8'));
    expect(path.basename(built).slice(33)).toBe(`nix-hug-${version}`);
    expect(await run('--version')).toBe(`${version}\n`);
  });

  it('has what nixpkgs asks of a package', async () => {
    const file = nixString(path.join(REPOSITORY, 'package.nix'));
    const asked = await nix().evaluate(`
      let
        pkgs = ${PKGS};
        inherit (pkgs) stdenvNoCC;
        package = pkgs.callPackage ${file} { };
        cross = pkgs.callPackage ${file} {
          nix-update-script = _: [ "nix-update" ];
          stdenvNoCC = stdenvNoCC // {
            buildPlatform = stdenvNoCC.buildPlatform // { canExecute = _: false; };
          };
        };
      in
      {
        inherit (package.drvAttrs) strictDeps __structuredAttrs doInstallCheck;
        inherit (package.meta) changelog mainProgram maintainers;
        tests = builtins.attrNames package.tests;
        updateScripts = [ (package ? updateScript) cross.updateScript ];
        completions = map (one: builtins.match ".*completion.*" one.postInstall != null) [ package cross ];
      }`);
    expect(asked).toEqual({
      strictDeps: true,
      __structuredAttrs: true,
      doInstallCheck: true,
      changelog: expect.stringMatching(/\/v\d+\.\d+\.\d+\/CHANGELOG\.md$/u),
      mainProgram: 'nix-hug',
      maintainers: [],
      tests: ['examples'],
      updateScripts: [false, ['nix-update']],
      completions: [true, false],
    });
  });

  it('holds what runs, and no sources', async () => {
    const files = await readdir(path.join(built, 'lib', 'nix-hug'));
    expect(files.toSorted()).toEqual(['dist', 'nix', 'nixpkgs', 'package.json', 'schemas']);
    const code = await readdir(path.join(built, 'lib/nix-hug/dist'), { recursive: true });
    expect(code.filter((file) => file.endsWith('.ts'))).toEqual([]);
    expect(code.filter((file) => !file.endsWith('.d.ts')).toSorted()).toEqual([
      'bin.cjs',
      'launch.cjs',
      'listr2.cjs',
      'python.cjs',
      'send.cjs',
      'third-party-licenses.txt',
      'undici.cjs',
    ]);
  });

  it('has a man page, and completions where each shell looks for them', async () => {
    const share = path.join(built, 'share');
    const man = await readFile(path.join(share, 'man/man1/nix-hug.1'), 'utf8');
    expect(man).toContain('.TH NIX-HUG 1');
    const completions = {
      bash: 'bash-completion/completions/nix-hug.bash',
      zsh: 'zsh/site-functions/_nix-hug',
      fish: 'fish/vendor_completions.d/nix-hug.fish',
    };
    for (const [shell, file] of Object.entries(completions)) {
      expect(await readFile(path.join(share, file), 'utf8')).toBe(await run('completion', shell));
    }
  });

  it('has a command line that begins a project with files that can be changed', async () => {
    const project = path.join(nix().folder, 'new project');
    await mkdir(project);
    await run('init', '--flake', '-C', project);
    for (const name of ['hug.yaml', 'flake.nix']) {
      const { mode } = await stat(path.join(project, name));
      expect(mode & 0o200, name).not.toBe(0);
    }
  });

  it('has a command line that locks an example to the bytes of its lock', async () => {
    const project = path.join(nix().folder, 'project');
    await mkdir(project);
    await copyFile(path.join(EXAMPLE, 'hug.yaml'), path.join(project, 'hug.yaml'));
    await run('lock', '-C', project);
    expect(await readFile(path.join(project, 'hug.lock.json'), 'utf8')).toBe(
      await readFile(path.join(EXAMPLE, 'hug.lock.json'), 'utf8'),
    );
  });

  it('has a command line that builds a model without any other nixpkgs', async () => {
    const result = await run('fetch', 'nix-hug-examples/tiny-llama', '--model', '--json');
    const { storePath } = JSON.parse(result);
    expect(await readdir(storePath)).toContain('model-00001-of-00002.safetensors');
  });

  it('has all that its commands load, though no package is beside it', async () => {
    const project = path.join(nix().folder, 'every command');
    await mkdir(project);
    const inProject = (...argv: readonly string[]) => run(...argv, '-C', project);
    await inProject('init');
    await inProject('add', 'nix-hug-examples/tiny-llama', '--name', 'tiny');
    await inProject('outdated');
    await inProject('update');
    await inProject('export');
    expect(await inProject('scan')).toContain('nix-hug-examples/tiny-llama');
    await inProject('import');
    await inProject('import-all', '--yes');
    await inProject('fetch');
    await inProject('verify');
    expect(await inProject('ls', 'tiny')).toContain('config.json');
    await inProject('remove', 'tiny');
    expect(await inProject('lock', '--check')).toContain('up to date');
  });

  it('has dependencies that come out the same when they are installed again', async () => {
    const rebuilt = await buildPackage(nix(), 'dependencies', ['--check']);
    expect(await readdir(rebuilt)).toEqual(['node_modules']);
  });

  it('depends on no compiler and no packages at run time', async () => {
    const { stdout } = await nix().run('nix-store', '--query', '--requisites', built);
    const names = stdout
      .trim()
      .split('\n')
      .map((file) =>
        path
          .basename(file)
          .slice(33)
          .replace(/-\d.*$/u, ''),
      );
    expect(names.toSorted()).toEqual(['bash', 'coreutils', 'nix-hug', 'nodejs']);
  });
});
