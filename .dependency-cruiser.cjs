/** Each folder of `protocol/` imports from those before it and from no other. */
const PROTOCOL = [
  ...['encoding', 'signature', 'commitment', 'contact', 'stake', 'log', 'trust'],
  ...['plan', 'statement', 'campaign', 'embargo', 'api', 'record'],
];

/** Likewise for `cli/`; what lies in `cli/` itself is below all of these or above. */
const CLI = [
  ...['home', 'client', 'mail', 'network', 'log', 'record', 'audit', 'receipts', 'operator'],
  ...['officer', 'reviewer', 'trust', 'witness', 'drill', 'commands'],
];

/** Likewise for `server/services/`; what lies in it itself is below all of these. */
const SERVICES = [
  ...['log', 'campaign', 'trust', 'publications', 'reviews', 'custody', 'decisions', 'people'],
  ...['adoption', 'contact', 'disclosure', 'endorsements', 'enrolment', 'session', 'witness'],
];

/** Likewise for `cli/officer/`; what lies in it itself is below all of these. */
const OFFICER = ['campaign', 'lint', 'sealing', 'mail', 'decisions', 'agent'];

/**
 * One rule a folder, so that no two depend on each other, and one that has every folder in the order.
 *
 * @param root - The folder whose sub-folders these are, without final slash.
 */
function inOrder(root, folders) {
  const rules = folders.map((folder, i) => ({
    name: `${root}-in-order: ${folder}`,
    severity: 'error',
    from: { path: `^${root}/${folder}/` },
    to: { path: `^${root}/[^/]+/`, pathNot: `^${root}/(${folders.slice(0, i + 1).join('|')})/` },
  }));
  const unknown = {
    name: `${root}-in-order: every folder has its place`,
    severity: 'error',
    from: {},
    to: { path: `^${root}/[^/]+/`, pathNot: `^${root}/(${folders.join('|')})/` },
  };
  return [...rules, unknown];
}

/** The folders are the module boundaries (README, "Map of folders"). */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...inOrder('protocol', PROTOCOL),
    ...inOrder('cli', CLI),
    ...inOrder('server/services', SERVICES),
    ...inOrder('cli/officer', OFFICER),
    {
      name: 'what-is-shared-is-below',
      severity: 'error',
      from: { path: '^(server/services|cli/officer)/[^/]+\\.ts$' },
      to: { path: '^$1/[^/]+/' },
    },
    {
      name: 'protocol-imports-only-protocol',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { path: '^(platform|server|cli|test|bench)/' },
    },
    {
      name: 'protocol-is-not-node',
      comment: 'The same code runs in Node and in the browser.',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'platform-imports-only-protocol',
      severity: 'error',
      from: { path: '^platform/' },
      to: { path: '^(server|cli|test|bench)/' },
    },
    {
      name: 'server-and-cli-are-strangers',
      comment: 'They meet over HTTP only.',
      severity: 'error',
      from: { path: '^server/' },
      to: { path: '^(cli|test|bench)/' },
    },
    {
      name: 'cli-and-server-are-strangers',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^(server|test|bench)/' },
    },
    {
      name: 'commands-do-not-know-the-program',
      comment: 'Only the drill runs the whole of it.',
      severity: 'error',
      from: { path: '^cli/[^/]+/', pathNot: '^cli/drill/' },
      to: { path: '^cli/[^/]+\\.ts$', pathNot: '^cli/(command|errors|exit-code|output)\\.ts$' },
    },
    {
      name: 'services-declare-and-stores-implement',
      severity: 'error',
      from: { path: '^server/services/' },
      to: { path: '^server/(http|store|jobs|chains)/' },
    },
    {
      name: 'stores-know-no-http',
      severity: 'error',
      from: { path: '^server/store/' },
      to: { path: '^server/(http|jobs)/' },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-in-product',
      severity: 'error',
      from: { path: '^(protocol|platform|server|cli|bin)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '@types' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
