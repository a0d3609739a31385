import { namesIn, type AuditPage } from './page.ts';
import { schemas } from './schemas.ts';

/** An answer as it came. */
export interface SeenAnswer {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What pino puts into every line. */
const OF_EVERY_LINE = new Set(['level', 'time', 'msg']);

/** What of a running server's log the page does not have. @param lines - JSON each. */
export function unlistedLogging(page: AuditPage, lines: readonly string[]): readonly string[] {
  const known = new Map(
    page
      .rows('Log lines')
      .flatMap(([says, fields]) =>
        namesIn(says).map((message): [string, Set<string>] => [message, new Set(namesIn(fields))]),
      ),
  );
  return lines.flatMap((line) => {
    const record = JSON.parse(line) as Record<string, unknown> & { readonly msg: string };
    const fields = known.get(record.msg);
    if (fields === undefined) return [`log line "${record.msg}"`];
    return Object.keys(record)
      .filter((field) => !OF_EVERY_LINE.has(field) && !fields.has(field))
      .map((field) => `log field ${field} of "${record.msg}"`);
  });
}

/** What of the answers the page does not have: routes, headers, bodies of another shape. */
export function unlistedAnswers(
  page: AuditPage,
  answers: readonly SeenAnswer[],
): readonly string[] {
  const headers = new Set(page.names('Answers: headers'));
  const routes = page
    .rows('Routes')
    .flatMap(([route, answered]) =>
      namesIn(route).map((it) => ({ matches: matcherOf(it), bodies: namesIn(answered) })),
    );
  return answers.flatMap(({ method, path, headers: sent, body }) => {
    const unknown = [...sent.keys()].filter((name) => !headers.has(name));
    const bodies = routes.find(({ matches }) => matches(method, path))?.bodies;
    return [
      ...unknown.map((name) => `header ${name}`),
      ...unlistedBody(sent.get('content-type') ?? '', body, bodies).map(
        (it) => `${it} from ${method} ${path}`,
      ),
    ];
  });
}

function unlistedBody(
  type: string,
  body: Buffer,
  bodies: readonly string[] | undefined,
): readonly string[] {
  const isOf = (name: string): boolean =>
    schemas.get(name)?.safeParse(JSON.parse(body.toString('utf8'))).success === true;
  if (type.startsWith('application/problem+json')) return isOf('problemJson') ? [] : ['a problem'];
  if (bodies === undefined) return ['a route'];
  if (body.length === 0 || bodies.includes('bytes')) return [];
  return bodies.some(isOf) ? [] : ['a body'];
}

/** Reads `GET /v1/campaigns/:id` and `GET /^\/log\/tile\//`. */
function matcherOf(route: string): (method: string, path: string) => boolean {
  const [verb, pattern = ''] = route.split(' ');
  const source = pattern.startsWith('/^')
    ? pattern.slice(1, -1)
    : `^${pattern.replace(/:[a-z0-9]+/g, '[^/]+')}$`;
  const regexp = new RegExp(source);
  return (method, path) => method === verb && regexp.test(path);
}

/** Which files the page does not have. @param paths - Relative, with `/`. */
export function unlistedFiles(page: AuditPage, paths: readonly string[]): readonly string[] {
  const known = page.names('Files').map((pattern) => {
    const escaped = pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${escaped.replace(/<[^>]+>/g, '[^/]+')}$`);
  });
  return paths.filter((path) => !known.some((it) => it.test(path)));
}

/** Which header fields of mails, or of their parts, the page does not have. */
export function unlistedMail(page: AuditPage, mails: readonly string[]): readonly string[] {
  const known = new Set(page.names('Mail'));
  const unlisted = mails.flatMap((raw) => {
    const [head = '', ...rest] = raw.replace(/\r\n[ \t]/g, ' ').split('\r\n\r\n');
    const ofMail = fieldsIn(head).map((it) => it);
    const ofParts = rest.flatMap((text) => fieldsIn(text)).map((it) => `part ${it}`);
    return [...ofMail, ...ofParts].filter((it) => !known.has(it));
  });
  return [...new Set(unlisted)];
}

function fieldsIn(head: string): readonly string[] {
  return [...head.matchAll(/^([A-Za-z][A-Za-z-]*):/gm)].map(([, name]) => name ?? '');
}
