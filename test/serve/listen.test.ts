import { describe, expect, it } from 'vitest';
import { isLocalHost, parseListen } from '../../src/serve/listen.ts';

describe('--listen', () => {
  it.each([
    ['127.0.0.1:8080', '127.0.0.1', 8080, true],
    ['127.9.9.9:0', '127.9.9.9', 0, true],
    ['[::1]:8080', '::1', 8080, true],
    ['localhost:80', '127.0.0.1', 80, true],
    ['0.0.0.0:8080', '0.0.0.0', 8080, false],
    ['[::]:65535', '::', 65_535, false],
    ['192.168.1.2:8080', '192.168.1.2', 8080, false],
    ['hub.example.org:8080', 'hub.example.org', 8080, false],
    ['127.0.0.1.example.org:1', '127.0.0.1.example.org', 1, false],
    ['127.1:1', '127.1', 1, false],
    ['[::ffff:10.0.0.1]:1', '::ffff:10.0.0.1', 1, false],
  ])('%s is read', (text, host, port, isLoopback) => {
    expect(parseListen(text)).toEqual({ host, port, isLoopback });
  });

  it.each(['', '8080', ':8080', '127.0.0.1', '127.0.0.1:', '127.0.0.1:70000', '::1:80', '[x]:1'])(
    '%s is refused',
    (text) => {
      expect(() => parseListen(text)).toThrow('--listen has no address and port');
    },
  );
});

describe('the Host of a request', () => {
  it.each(['127.0.0.1:8080', '127.0.0.1', 'localhost:1', 'LOCALHOST', '[::1]:8080', undefined])(
    '%s is this machine',
    (header) => {
      expect(isLocalHost(header)).toBe(true);
    },
  );

  it.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'user@127.0.0.1',
    '127.0.0.1:8080:1',
    '10.0.0.1',
    '',
    '[::1',
  ])('%s is another', (header) => {
    expect(isLocalHost(header)).toBe(false);
  });
});
