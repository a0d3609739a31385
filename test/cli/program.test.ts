import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commands } from '../../cli/commands.ts';
import { optionName, type Command } from '../../cli/command.ts';
import { parseCommandLine, type Request } from '../../cli/program.ts';

let printed = '';
const parse = (...argv: readonly string[]): Promise<Request> => {
  printed = '';
  return parseCommandLine(commands, argv, '1.2.3', (text) => {
    printed += text;
  });
};

/** A command line as a shell splits it; our examples quote with `"` and `'` only. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
}

const all = await Promise.all(commands.listing.map(({ name }) => commands.load(name)));

async function parsed(...argv: readonly string[]): Promise<Exclude<Request, 'done'>> {
  const request = await parse(...argv);
  if (request === 'done') throw new Error('no command was asked for');
  return request;
}

describe('every command', () => {
  for (const command of all) {
    it(`has an example that it understands: ${command.name}`, async () => {
      const [program, ...argv] = words(command.example);
      assert.equal(program, 'sealdrop');
      const { command: asked } = await parsed(...argv);
      assert.equal(asked.name, command.name);
    });

    it(`shows summary, options and example in its help: ${command.name}`, async () => {
      assert.equal(await parse(...command.name.split(' '), '--help'), 'done');
      // Help is wrapped to the terminal, so spaces are compared as any.
      const flat = printed.replace(/\s+/g, ' ');
      for (const part of [command.summary, command.example, '--json', '--home']) {
        assert.ok(flat.includes(part.replace(/\s+/g, ' ')), part);
      }
      for (const { flag } of command.options ?? []) assert.ok(flat.includes(flag), flag);
    });
  }

  it('says of itself what the listing says of it', () => {
    const own = all.map(({ name, args = [], group, summary }) => {
      const words = args.map((it) => {
        const word = it.many ? `${it.name}...` : it.name;
        return it.optional ? `[${word}]` : `<${word}>`;
      });
      return { name, args: words.join(' '), group, summary };
    });
    assert.deepEqual(commands.listing, own);
  });

  it('has a name and option names of its own', () => {
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
    for (const { name, options = [] } of all) {
      const names = options.map(optionName);
      assert.equal(new Set(names).size, names.length, name);
      for (const reserved of ['home', 'json', 'quiet', 'help', 'version']) {
        assert.equal(names.includes(reserved), false, `${name} --${reserved}`);
      }
    }
  });

  it('stands in the overall help by its whole name', async () => {
    assert.equal(await parse('--help'), 'done');
    for (const { name } of all) assert.match(printed, new RegExp(`^  ${name}\\b`, 'm'));
    assert.match(printed, /6 verification failed/);
  });
});

describe('a command line', () => {
  it('takes global options before, between and after', async () => {
    for (const argv of [
      ['--json', '--home', '/h', '--quiet', 'config', 'show'],
      ['config', 'show', '--json', '--home', '/h', '--quiet'],
      ['--json', 'config', '--home', '/h', 'show', '--quiet'],
    ]) {
      const { globals } = await parsed(...argv);
      assert.deepEqual(globals, { home: '/h', json: true, quiet: true }, argv.join(' '));
    }
    assert.deepEqual((await parsed('config', 'show')).globals, { json: false, quiet: false });
  });

  it('hands over arguments and camel-cased options, lists as lists', async () => {
    const line = 'trust add https://h --root-sha256 ab';
    const { input } = await parsed(...words(line));
    assert.deepEqual(input.args, ['https://h']);
    assert.equal(input.options['rootSha256'], 'ab');
    const required = '--network n --server s --threshold 1 --share-threshold 1 --expires 1 --out o';
    const init = await parsed(
      ...words(`trust init --officer a --officer b ${required} --officer c`),
    );
    assert.deepEqual(init.input.options['officer'], ['a', 'b', 'c']);
  });

  for (const [what, argv, message, advice] of [
    ['an unknown command', ['trsut'], /unknown command 'trsut'/, /Did you mean trust/],
    ['an unknown second word', ['trust', 'ad'], /unknown command 'ad'/, /Did you mean add/],
    ['half a command', ['trust'], /half a command/, /trust add/],
    ['an unknown option', ['config', 'show', '--al'], /unknown option/, /config show --help/],
    ['an option of a second word', ['log', 'verify', '--al'], /unknown option/, /p log verify --h/],
    ['a missing argument', ['trust', 'add'], /missing required|required option/, /--help/],
    ['a missing option', ['trust', 'add', 'https://h'], /--root-sha256/, /trust add --help/],
    ['an argument too many', ['config', 'show', 'x'], /too many arguments/, /--help/],
    ['an option without its value', ['officer', 'init', '--id'], /argument missing/, /--help/],
  ] as const) {
    it(`is refused with advice for ${what}`, async () => {
      await assert.rejects(parse(...argv), { name: 'UsageError', message, advice });
    });
  }

  it('prints the version', async () => {
    assert.equal(await parse('--version'), 'done');
    assert.equal(printed, '1.2.3\n');
  });
});

describe('a declaration', () => {
  const probe: Command = {
    name: 'probe',
    group: 'all',
    summary: 'Probe',
    args: [{ name: 'files', description: 'files', many: true }],
    options: [
      { flag: '--size <n>', description: 'size', defaultValue: '7' },
      { flag: '-w, --wait', description: 'wait' },
    ],
    example: 'sealdrop probe a b',
    run: () => Promise.resolve(),
  };

  it('gives defaults, switches and many arguments', async () => {
    const listing = [
      { name: 'probe', args: '<files...>', group: 'all', summary: 'Probe' },
    ] as const;
    const request = await parseCommandLine(
      { listing, load: () => Promise.resolve(probe) },
      ['probe', 'a', 'b', '-w'],
      '1',
      () => undefined,
    );
    if (request === 'done') throw new Error('no command was asked for');
    assert.deepEqual(request.input, { args: ['a', 'b'], options: { size: '7', wait: true } });
  });
});
