/** Where a command says what it does. With `--json` stdout holds JSON lines only. */
export interface Output {
  readonly json: boolean;
  /** One line of the result for a person, on stdout; silent with `--json`. */
  line(text: string): void;
  /** Talk beside the result, on stderr; silent with `--quiet` or `--json`. */
  note(text: string): void;
  /** Like a note, but said even with `--quiet`; with `--json` a `warning` line on stderr. */
  warn(text: string): void;
  /** A warning that is told once, however often a command comes to it. */
  warnOnce(text: string): void;
  /** A line that replaces the one before it on a terminal; silent elsewhere. */
  progress(text: string): void;
  /** One JSON line `{"message_type": type, …data}`; silent without `--json`. */
  event(type: string, data: object): void;
  /** The one final JSON line, `{"message_type":"summary", …data}`; silent without `--json`. */
  summary(data: object): void;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether stderr is a terminal that a progress line may redraw. */
  readonly interactive: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

export function createOutput(options: OutputOptions): Output {
  const { json, quiet, interactive, stdout, stderr } = options;
  let progressShown = false;
  const warned = new Set<string>();

  const endProgress = (): void => {
    if (progressShown) stderr('\r\u001B[K');
    progressShown = false;
  };
  const emit = (type: string, data: object): void => {
    stdout(`${JSON.stringify({ message_type: type, ...data }, jsonValue)}\n`);
  };

  const warn = (text: string): void => {
    endProgress();
    const warning = JSON.stringify({ message_type: 'warning', message: text });
    stderr(json ? `${warning}\n` : `warning: ${printable(text)}\n`);
  };

  return {
    json,
    line(text) {
      if (json) return;
      endProgress();
      stdout(`${printable(text)}\n`);
    },
    note(text) {
      if (json || quiet) return;
      endProgress();
      stderr(`${printable(text)}\n`);
    },
    warn,
    warnOnce(text) {
      if (!warned.has(text)) warn(text);
      warned.add(text);
    },
    progress(text) {
      if (json || quiet || !interactive) return;
      stderr(`\r\u001B[K${printable(text)}`);
      progressShown = true;
    },
    event(type, data) {
      if (json) emit(type, data);
    },
    summary(data) {
      endProgress();
      if (json) emit('summary', data);
    },
  };
}

/** Stake is a decimal string wherever it leaves the program. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/**
 * Text as it may reach a terminal: control characters and bidirectional overrides become `?`, so
 * that what a server or a document says cannot redraw the screen or hide a part of itself.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, '?');
}
