import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CliError,
  InterruptedError,
  LoginError,
  NotReleasedError,
  ProblemError,
  RefusedMoveError,
  TemporaryError,
  UsageError,
  WithdrawnError,
} from '../../cli/errors.ts';
import { exitCodeOf } from '../../cli/exit-code.ts';
import { createOutput, printable } from '../../cli/output.ts';
import { formatFailure } from '../../cli/report.ts';
import { OutputExistsError } from '../../platform/files.ts';
import { ExposedSecretError } from '../../platform/read-file.ts';
import { ProtocolError } from '../../protocol/errors.ts';

const PLAIN = { json: false, debug: false };

describe('the exit code', () => {
  for (const [error, code] of [
    [new CliError('x'), 1],
    [new Error('a bug'), 1],
    ['not even an error', 1],
    [new ExposedSecretError('x'), 1],
    [new RefusedMoveError('transition_refused', 'x'), 1],
    [new ProblemError(404, 'not_found', 'x'), 1],
    [new ProblemError(409, 'conflict', 'x'), 1],
    [new ProblemError(422, 'statement_invalid', 'x'), 1],
    [new UsageError('x'), 2],
    [new OutputExistsError('x'), 2],
    [new NotReleasedError('x'), 3],
    [new ProblemError(425, 'not_released', 'x'), 3],
    [new LoginError('x'), 4],
    [new ProblemError(401, 'login_required', 'x'), 4],
    [new ProblemError(403, 'login_refused', 'x'), 4],
    [new TemporaryError('x'), 5],
    [new ProblemError(408, 'x', 'x'), 5],
    [new ProblemError(429, 'too_many_requests', 'x'), 5],
    [new ProblemError(503, 'unavailable', 'x'), 5],
    [new ProtocolError('signature_invalid', 'x'), 6],
    [new WithdrawnError('x'), 7],
    [new InterruptedError(), 130],
  ] as const) {
    const name = error instanceof ProblemError ? `status ${error.status}` : String(error);
    it(`of ${name} is ${code}`, () => {
      assert.equal(exitCodeOf(error), code);
    });
  }
});

describe('a failure', () => {
  it('is one line of what is wrong and one of what to do', () => {
    assert.equal(
      formatFailure(new CliError('the disk is full', 'make room'), PLAIN),
      'sealdrop: the disk is full\nmake room\n',
    );
  });

  it('is one JSON line with --json', () => {
    const text = formatFailure(new ProtocolError('signature_invalid', 'no'), {
      json: true,
      debug: false,
    });
    assert.equal(text.indexOf('\n'), text.length - 1);
    const { message_type, code, reason, message } = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(
      [message_type, code, reason, message],
      ['exit_error', 6, 'signature_invalid', 'verification failed: no'],
    );
  });

  it('shows nothing of a bug but that it is one, and the stack on request', () => {
    const bug = new TypeError('secret is AGE-SECRET-KEY-1');
    assert.doesNotMatch(formatFailure(bug, PLAIN), /AGE-SECRET-KEY|\n +at /);
    assert.doesNotMatch(formatFailure(bug, { json: true, debug: false }), /AGE-SECRET-KEY/);
    assert.match(formatFailure(bug, { json: false, debug: true }), /report\.test\.ts/);
  });

  it('names the file of a failed system call', () => {
    const error = Object.assign(new Error('x'), { code: 'EACCES', syscall: 'open', path: '/f' });
    assert.equal(formatFailure(error, PLAIN), 'sealdrop: open failed: EACCES\n/f\n');
  });

  it('says in plain words that a file is not there', () => {
    const error = Object.assign(new Error('x'), { code: 'ENOENT', syscall: 'lstat', path: 'f' });
    assert.equal(formatFailure(error, PLAIN), 'sealdrop: f is not there\n');
  });

  it('cannot redraw the screen with what a server said', () => {
    const text = formatFailure(
      new ProblemError(409, 'conflict', 'no\u001b[2K\rdone \u202e'),
      PLAIN,
    );
    assert.equal(text, 'sealdrop: no?[2K?done ?\n');
  });
});

describe('output', () => {
  function output(
    json: boolean,
    quiet = false,
  ): { said: string[]; out: ReturnType<typeof createOutput> } {
    const said: string[] = [];
    const write =
      (stream: string) =>
      (text: string): void =>
        void said.push(`${stream}: ${text}`);
    const streams = { stdout: write('out'), stderr: write('err') };
    return { said, out: createOutput({ json, quiet, interactive: true, ...streams }) };
  }
  const speak = (out: ReturnType<typeof createOutput>): void => {
    out.progress('half');
    out.event('status', { done: 1 });
    out.line('result');
    out.note('remark');
    out.warn('careful');
    out.summary({ stake: 2n ** 70n });
  };

  it('is JSON lines on stdout and nothing else with --json, stake as decimal text', () => {
    const { said, out } = output(true);
    speak(out);
    assert.deepEqual(said, [
      'out: {"message_type":"status","done":1}\n',
      'err: {"message_type":"warning","message":"careful"}\n',
      'out: {"message_type":"summary","stake":"1180591620717411303424"}\n',
    ]);
  });

  it('is the result on stdout and the talk on stderr for a person', () => {
    const { said, out } = output(false);
    speak(out);
    assert.deepEqual(said, [
      'err: \r\u001b[Khalf',
      'err: \r\u001b[K',
      'out: result\n',
      'err: remark\n',
      'err: warning: careful\n',
    ]);
  });

  it('is the result and warnings only with --quiet', () => {
    const { said, out } = output(false, true);
    speak(out);
    assert.deepEqual(said, ['out: result\n', 'err: warning: careful\n']);
  });

  it('keeps letters, line ends and tabs, and nothing that acts on a terminal', () => {
    assert.equal(printable('Zürich 漢字\n\tok'), 'Zürich 漢字\n\tok');
    for (const character of [
      '\u001b',
      '\u0007',
      '\u0008',
      '\r',
      '\u009b',
      '\u202e',
      '\u2066',
      '\u200b',
    ]) {
      assert.equal(printable(`a${character}b`), 'a?b');
    }
  });
});
