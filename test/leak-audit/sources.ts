import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

/** A line that the server may log: what it says, and the fields it may have. */
export interface LogCall {
  readonly message: string;
  readonly fields: readonly string[];
}

/** A route as the sources have it, and what it answers with: schemas of `protocol/api/`, or bytes. */
export interface RouteCall {
  readonly route: string;
  readonly answers: readonly string[];
}

const SERVER = fileURLToPath(new URL('../../server/', import.meta.url));
const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
const VERBS = new Set(['all', 'get', 'put', 'post', 'patch', 'delete', 'head', 'options']);
const BYTES = new Set(['sendBytes', 'sendFile', 'send']);

export function parseSource(name: string, text: string): ts.SourceFile {
  return ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true);
}

/** Every source file of the server. */
export function serverSources(): readonly ts.SourceFile[] {
  return readdirSync(SERVER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => parseSource(name, readFileSync(join(SERVER, name), 'utf8')));
}

/**
 * Every call of a logger, by what it says.
 *
 * @throws Error for a call whose message or fields cannot be read off, and for a logger's method that
 *   is handed on rather than called: what cannot be seen here cannot be audited.
 */
export function logCalls(sources: readonly ts.SourceFile[]): readonly LogCall[] {
  const calls: LogCall[] = [];
  for (const source of sources) {
    visit(source, (node) => {
      if (!ts.isPropertyAccessExpression(node) || !LEVELS.has(node.name.text)) return;
      if (!/(?:^|\.)logger(?:$|\.child\()/.test(node.expression.getText())) return;
      const call = node.parent;
      const isCalled = ts.isCallExpression(call) && call.expression === node;
      const [fields, message] = isCalled ? call.arguments : [];
      if (fields === undefined || message === undefined || !ts.isStringLiteral(message)) {
        throw unreadable(node);
      }
      calls.push({ message: message.text, fields: [...new Set(membersOf(fields, sources))] });
    });
  }
  return calls;
}

/** Names of the members that an expression, once it is an object, may have. */
function membersOf(node: ts.Expression, sources: readonly ts.SourceFile[]): string[] {
  if (ts.isParenthesizedExpression(node)) return membersOf(node.expression, sources);
  if (ts.isBinaryExpression(node)) return membersOf(node.right, sources);
  if (ts.isIdentifier(node)) return membersOf(valueOf(node), sources);
  if (ts.isCallExpression(node)) {
    return returnedBy(node, sources).flatMap((it) => membersOf(it, sources));
  }
  if (!ts.isObjectLiteralExpression(node)) throw unreadable(node);
  return node.properties.flatMap((property) => {
    if (ts.isSpreadAssignment(property)) return membersOf(property.expression, sources);
    const { name } = property;
    if (!ts.isIdentifier(name)) throw unreadable(property);
    return [name.text];
  });
}

/** What the nearest constant of this name was made of. */
function valueOf(name: ts.Identifier): ts.Expression {
  let scope: ts.Node = name;
  while (!ts.isSourceFile(scope)) {
    scope = scope.parent;
    const [found] = declared(name.text, scope);
    if (found !== undefined) return found;
  }
  throw unreadable(name);
}

function declared(name: string, scope: ts.Node): ts.Expression[] {
  const values: ts.Expression[] = [];
  visit(scope, (node) => {
    if (!ts.isVariableDeclaration(node) || node.initializer === undefined) return;
    if (ts.isIdentifier(node.name) && node.name.text === name) values.push(node.initializer);
  });
  return values;
}

/** What a function of ours, called by its name, returns. */
function returnedBy(call: ts.CallExpression, sources: readonly ts.SourceFile[]): ts.Expression[] {
  const name = call.expression.getText();
  const returned: ts.Expression[] = [];
  for (const source of sources) {
    visit(source, (node) => {
      if (!ts.isFunctionDeclaration(node) || node.name?.text !== name) return;
      visit(node, (inner) => {
        if (ts.isReturnStatement(inner) && inner.expression) returned.push(inner.expression);
      });
    });
  }
  if (returned.length === 0) throw unreadable(call);
  return returned;
}

/** Every `router.get('/path', …)` and its like. A pattern stands as it is written. */
export function routeCalls(sources: readonly ts.SourceFile[]): readonly RouteCall[] {
  const routes: RouteCall[] = [];
  for (const source of sources) {
    visit(source, (node) => {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
      const { name, expression } = node.expression;
      const [path] = node.arguments;
      if (!VERBS.has(name.text) || !/(?:^|\.)(?:router|app)$/.test(expression.getText())) return;
      if (path === undefined || !(ts.isStringLiteral(path) || isPattern(path)))
        throw unreadable(node);
      routes.push({ route: `${name.text.toUpperCase()} ${path.text}`, answers: answersIn(node) });
    });
  }
  return routes;
}

function isPattern(node: ts.Node): node is ts.RegularExpressionLiteral {
  return ts.isRegularExpressionLiteral(node);
}

function answersIn(handler: ts.Node): string[] {
  const answers = new Set<string>();
  visit(handler, (node) => {
    if (!ts.isCallExpression(node)) return;
    const called = node.expression.getText();
    if (called === 'sendJson') answers.add(node.arguments[1]?.getText() ?? '');
    else if (BYTES.has(called)) answers.add('bytes');
  });
  return [...answers];
}

/** Files in which something is written into an answer: each has to be looked at. */
export function filesThatAnswer(sources: readonly ts.SourceFile[]): readonly string[] {
  const files = new Set<string>();
  for (const source of sources) {
    visit(source, (node) => {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
      const { name } = node.expression;
      const isAnswer = /^(?:end|send|json|jsonp|write|sendFile|download|redirect|render|pipe)$/;
      const receiver = node.expression.expression.getText();
      if (isAnswer.test(name.text) && /^res\b/.test(receiver) && node.arguments.length > 0) {
        files.add(source.fileName);
      }
    });
  }
  return [...files].sort();
}

/** Names of the headers that our own code puts into answers, in lower case. */
export function headersSet(sources: readonly ts.SourceFile[]): readonly string[] {
  const names = new Set<string>();
  for (const source of sources) {
    visit(source, (node) => {
      if (!ts.isCallExpression(node) || !/^res\.setHeader$/.test(node.expression.getText())) return;
      const [name] = node.arguments;
      if (name === undefined || !ts.isStringLiteral(name)) throw unreadable(node);
      names.add(name.text.toLowerCase());
    });
  }
  return [...names].sort();
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  node.forEachChild((child) => {
    visit(child, look);
  });
}

function unreadable(node: ts.Node): Error {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  return new Error(`${file.fileName}:${line + 1} cannot be audited: ${node.getText()}`);
}
