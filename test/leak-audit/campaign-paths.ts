import { readAuditPage } from './page.ts';

/** Every route with a campaign in its path, as the leak audit lists them: none can be forgotten. */
const ROUTES = readAuditPage()
  .names('Routes')
  .filter((route) => route.includes('/campaigns/:id'))
  .map((route) => route.slice(route.indexOf('/campaigns/:id') + '/campaigns/:id'.length));
const NAMES = ['notice.txt', 'disclosure.md', 'COMMITMENT'];
/** What can stand behind the id. */
export const CAMPAIGN_PATHS = [...new Set(ROUTES)].flatMap((path) =>
  path.includes(':name') ? NAMES.map((name) => path.replace(':name', name)) : [path],
);
