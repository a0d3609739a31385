import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

/** Where `.ci/run` puts the Go programs (`bin/`) and the Python environment (`venv/bin/`). */
const BUILT = process.env['SEALDROP_INTEROP_TOOLS'];

const BUILT_FOLDERS = BUILT === undefined ? [] : [join(BUILT, 'bin'), join(BUILT, 'venv', 'bin')];
const FOLDERS = [...BUILT_FOLDERS, ...(process.env['PATH'] ?? '').split(delimiter)];

/** Programs whose name means something else on most machines: only ours will do. */
const NAMESAKES = new Set(['fsck']);

/** Path of a program of other people's, if it is on this machine. */
export function findTool(tool: string): string | undefined {
  const folders = NAMESAKES.has(tool) ? BUILT_FOLDERS : FOLDERS;
  return folders
    .map((folder) => join(folder, tool))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** @throws Error for one that is not here; a test that needs it should have been skipped. */
function pathOf(tool: string): string {
  const path = isAbsolute(tool) ? tool : findTool(tool);
  if (path === undefined) throw new Error(`${tool} is not here`);
  return path;
}

/** For the `skip` of a test: `false`, or which of these programs is not here. */
export function missing(...tools: readonly string[]): string | false {
  const absent = tools.find((tool) => findTool(tool) === undefined);
  return absent !== undefined && `SKIPPED: ${absent} is not here`;
}

/** The same for a package of Python, which only the environment made by `.ci/run` has. */
export function missingPython(module: string): string | false {
  const absent = `SKIPPED: python package ${module} is not here`;
  if (BUILT === undefined || findTool('python') === undefined) return absent;
  return spawnSync(python(), ['-c', `import ${module}`]).status !== 0 && absent;
}

/** The interpreter that has the packages. */
export function python(): string {
  return join(BUILT ?? '', 'venv', 'bin', 'python');
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: Buffer;
  /** Both streams, for people. */
  readonly text: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: Uint8Array | string;
  /** After which the program is killed, and its status is `null`. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;

/** A folder to work in, which is gone when the tests are over. */
export interface Workshop {
  readonly path: string;
  /** Write a file and return its path. */
  write(name: string, content: Uint8Array | string): string;
  /** Run a program in the folder, with a GnuPG home of its own, to its end. */
  run(tool: string, parameters: readonly string[], options?: RunOptions): Outcome;
  /** The same without blocking, for a program that calls back into this process. */
  start(tool: string, parameters: readonly string[]): Promise<Outcome>;
  remove(): void;
}

export function openWorkshop(): Workshop {
  const path = mkdtempSync(join(tmpdir(), 'sealdrop-interop-'));
  const gnupg = mkdtempSync(join(path, 'gnupg-'));
  const env = { ...process.env, GNUPGHOME: gnupg, LC_ALL: 'C', NO_COLOR: '1' };
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      writeFileSync(file, content);
      return file;
    },
    run(tool, parameters, { cwd = path, input, timeoutMs = TIMEOUT_MS } = {}) {
      const { status, stdout, stderr, error } = spawnSync(pathOf(tool), parameters, {
        cwd,
        env,
        maxBuffer: 64 * 1024 * 1024,
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        ...(input !== undefined && { input }),
      });
      if (error && !('code' in error && error.code === 'ETIMEDOUT')) throw error;
      return { status, stdout, text: stdout.toString() + stderr.toString() };
    },
    start(tool, parameters) {
      return new Promise((resolve, reject) => {
        const child = spawn(pathOf(tool), parameters, {
          cwd: path,
          env,
          timeout: TIMEOUT_MS,
          killSignal: 'SIGKILL',
        });
        const [out, all]: [Buffer[], Buffer[]] = [[], []];
        child.stdout.on('data', (chunk: Buffer) => {
          out.push(chunk);
          all.push(chunk);
        });
        child.stderr.on('data', (chunk: Buffer) => all.push(chunk));
        child.on('error', reject);
        child.on('close', (status) => {
          const text = Buffer.concat(all).toString();
          resolve({ status, stdout: Buffer.concat(out), text });
        });
      });
    },
    remove() {
      if (findTool('gpgconf')) spawnSync('gpgconf', ['--kill', 'all'], { env });
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Flip one bit in the middle of bytes. */
export function flipped(bytes: Uint8Array, at = bytes.length >> 1): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ 1);
}

/** Where this file's folder is, for the programs that lie beside it. */
export const INTEROP = dirname(import.meta.dirname);
