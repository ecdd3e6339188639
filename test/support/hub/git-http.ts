import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { contentOf } from './content.ts';
import type { Context } from './context.ts';
import { gated, Refusal } from './refusals.ts';
import type { Reply } from './reply.ts';

/** The only service: nothing is pushed to a test's hub. */
const SERVICE = 'git-upload-pack';
const END_OF_HEADERS = '\r\n\r\n';

/**
 * git's smart HTTP (`git help http-protocol`), answered by the real `git http-backend` from the bare
 * repository. LFS files are pointers there. Any commit can be asked for, not only tips of branches.
 */
export async function answerGit(context: Context): Promise<Reply> {
  const { repo, request, standing, rest } = context;
  if (standing !== 'granted') throw gated(repo, standing, 'basic');
  const service = rest.at(-1) === SERVICE ? SERVICE : request.query.get('service');
  if (service !== SERVICE) throw new Refusal(403, `Only ${SERVICE} is served`);
  return parseCgi(await httpBackend(context));
}

/** Runs `git http-backend`, a CGI program (RFC 3875), on one request. */
async function httpBackend({ repo, request, rest }: Context): Promise<Buffer> {
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      LC_ALL: 'C',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'uploadpack.allowAnySHA1InWant',
      GIT_CONFIG_VALUE_0: 'true',
      GIT_PROJECT_ROOT: repo.gitDir,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: request.headers.get('git-protocol'),
      REQUEST_METHOD: request.method,
      PATH_INFO: `/${rest.join('/')}`,
      QUERY_STRING: request.query.toString(),
      CONTENT_TYPE: request.headers.get('content-type'),
      CONTENT_LENGTH: String(request.body.length),
      HTTP_CONTENT_ENCODING: request.headers.get('content-encoding'),
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  // A backend that ends early closes its input; its exit status and stderr say why.
  child.stdin.on('error', () => {});
  child.stdin.end(request.body);
  const [stdout, stderr, status] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    }),
  ]);
  if (status !== 0) throw new Error(`git http-backend ended with ${status}: ${stderr}`);
  return stdout;
}

/** Splits what a CGI program wrote; without a `Status` it is 200. */
function parseCgi(output: Buffer): Reply {
  const end = output.indexOf(END_OF_HEADERS);
  const { Status = '200', ...headers } = Object.fromEntries(
    output
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
      }),
  );
  return {
    status: Number.parseInt(Status, 10),
    headers,
    body: contentOf(output.subarray(end + END_OF_HEADERS.length)),
  };
}
