import type { z } from 'zod';
import { tallyResponse } from '../../protocol/api/adoption.ts';
import {
  campaignView,
  campaignsResponse,
  createCampaignResponse,
  custodyResponse,
  eventsResponse,
  snapshotResponse,
} from '../../protocol/api/campaign.ts';
import { directiveResponse, directivesResponse } from '../../protocol/api/directive.ts';
import {
  closingKeyResponse,
  commitmentView,
  commitmentsResponse,
  openingsResponse,
} from '../../protocol/api/disclosure.ts';
import { receiptResponse } from '../../protocol/api/exchange.ts';
import {
  contactsResponse,
  messagesAccepted,
  messagesResponse,
} from '../../protocol/api/message.ts';
import { enrolmentsResponse, inboxResponse } from '../../protocol/api/operator.ts';
import {
  endorsementsResponse,
  releaseKeyResponse,
  reviewsResponse,
  sharesResponse,
  statementsResponse,
} from '../../protocol/api/statement.ts';
import { publishRootResponse, rootsResponse } from '../../protocol/api/trust.ts';
import { toBase64, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProblemError } from '../errors.ts';
import { requireCampaignId } from '../home/campaign-directory.ts';
import { MAX_ROOT_BYTES } from './trust.ts';
import type { Client } from './client.ts';
import { fileBody, transferTimeoutMs, writeVerified } from './download.ts';
import { envelopeJsonOf } from './envelope.ts';
import { parseAnswer, readBody, readJson, type HttpAnswer } from './http.ts';
import { collectPages, type Page } from './pages.ts';
import type { Transport } from './transport.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Answers about one thing. */
const SMALL = 1 * MIB;
/** A page of a list whose entries are whole envelopes or messages. */
const PAGE = 64 * MIB;
const DOCUMENT = 4 * MIB;
const SNAPSHOT = 32 * MIB;
/** 256 entries of at most 64 KiB. */
const TILE = 17 * MIB;

const BINARY = 'application/octet-stream';

export function clientOver({ server, get, post, put, whoAmI }: Transport): Client {
  const of = (id: string, rest = ''): string => `/v1/campaigns/${requireCampaignId(id)}${rest}`;
  const about = (plan?: string): string => (plan === undefined ? '' : `?plan=${plan}`);
  const bytes = async (answer: Promise<HttpAnswer>, maxBytes: number): Promise<Uint8Array> =>
    readBody(await answer, maxBytes);
  const json = async <T>(
    answer: Promise<HttpAnswer>,
    schema: z.ZodType<T>,
    maxBytes = SMALL,
  ): Promise<T> => readJson(await answer, schema, maxBytes);
  const done = async (answer: Promise<HttpAnswer>): Promise<void> => {
    await bytes(answer, SMALL);
  };
  const getJson = <T>(path: string, schema: z.ZodType<T>, maxBytes = SMALL): Promise<T> =>
    json(get(path), schema, maxBytes);
  const getPage = async <T, Entry>(
    path: string,
    schema: z.ZodType<T>,
    entriesOf: (answer: T) => readonly Entry[],
  ): Promise<Page<Entry>> => {
    const body = await bytes(get(path), PAGE);
    return { entries: entriesOf(parseAnswer(body, schema)), bytes: body.length };
  };

  return {
    server,
    whoAmI,

    checkpoint: async () => utf8Decode(await bytes(get('/log/checkpoint', 'public'), 64 * KIB)),
    tile: (path) => bytes(get(`/log/${path}`, 'public'), TILE),
    findTimestamp: (path) => unlessMissing(bytes(get(`/log/${path}`, 'public'), 4 * MIB)),
    findRoot: (version) =>
      unlessMissing(bytes(get(`/tuf/${version}.root.json`, 'public'), MAX_ROOT_BYTES)),
    roots: async () => (await json(get('/v1/trust/roots', 'public'), rootsResponse)).roots,
    publishRoot: (root, targets) =>
      json(
        post('/v1/trust/roots', { root: toBase64(root), targets: toBase64(targets) }, 'public'),
        publishRootResponse,
      ),
    async commitments() {
      const answer = get('/v1/commitments', 'public');
      return (await json(answer, commitmentsResponse, PAGE)).commitments;
    },
    commitment: (sha256) => json(get(`/v1/commitments/${sha256}`, 'public'), commitmentView),
    endorsements: async (commitment) => {
      const answer = get(`/v1/commitments/${commitment}/endorsements`, 'public');
      return (await json(answer, endorsementsResponse, PAGE)).endorsements;
    },
    sendEndorsement: (commitment, envelope) =>
      json(
        post(
          `/v1/commitments/${commitment}/endorsements`,
          { envelope: envelopeJsonOf(envelope) },
          'public',
        ),
        receiptResponse,
      ),
    snapshot: (sha256) => bytes(get(`/v1/snapshots/${sha256}`, 'public'), SNAPSHOT),
    enrol: (request) => json(post('/v1/enrolments', request, 'public'), receiptResponse),

    campaign: (id) => getJson(of(id), campaignView),
    plan: (id, digest) => bytes(get(of(id, `/plan${about(digest)}`)), DOCUMENT),
    campaignSnapshot: (id) => bytes(get(of(id, '/snapshot')), SNAPSHOT),
    directives: (id) => getJson(of(id, '/directives'), directivesResponse, PAGE),
    shares: async (id) => (await getJson(of(id, '/shares'), sharesResponse, PAGE)).shares,
    releaseKey: async (id) => (await getJson(of(id, '/release-key'), releaseKeyResponse)).envelope,
    signatures: (id, plan) => bytes(get(of(id, `/signatures${about(plan)}`)), 16 * MIB),
    tally: (id) => getJson(of(id, '/tally'), tallyResponse, PAGE),
    events: (id, after) =>
      collectPages(
        (query) => getPage(of(id, `/events${query}`), eventsResponse, (answer) => answer.events),
        ({ seq }) => seq,
        { after },
      ),
    statements: (id) =>
      collectPages(
        (query) =>
          getPage(of(id, `/statements${query}`), statementsResponse, (answer) => answer.statements),
        ({ seq }) => seq,
      ),
    downloadBlob(sha256, size, path) {
      const ask = (): Promise<HttpAnswer> =>
        get(`/blobs/sha256/${sha256}`, 'own', transferTimeoutMs(size));
      return writeVerified(ask, path, { sha256, size });
    },
    tuf: (name) => get(`/tuf/${name}`),

    inbox: async () => (await getJson('/v1/inbox', inboxResponse, PAGE)).campaigns,
    sendStatement: (id, envelope) =>
      json(post(of(id, '/statements'), { envelope: envelopeJsonOf(envelope) }), receiptResponse),

    enrolments: async () => (await getJson('/v1/enrolments', enrolmentsResponse, PAGE)).enrolments,
    postSnapshot: (content) => {
      const body = (): Uint8Array<ArrayBuffer> => new Uint8Array(content);
      const upload = { contentType: 'text/plain', body };
      return json(post('/v1/snapshots', upload), snapshotResponse);
    },
    async uploadBlob(path, sha256) {
      const { size, body } = await fileBody(path);
      const timeoutMs = transferTimeoutMs(size);
      await done(put(`/blobs/sha256/${sha256}`, { contentType: BINARY, body, timeoutMs }));
    },
    createCampaign: (request) => json(post('/v1/campaigns', request), createCampaignResponse),
    campaigns: async () => (await getJson('/v1/campaigns', campaignsResponse, PAGE)).campaigns,
    custody: async (id, plan) =>
      (await getJson(of(id, `/custody${about(plan)}`), custodyResponse, PAGE)).custody,
    sendDirective: (id, request) => json(post(of(id, '/directives'), request), directiveResponse),
    putSignatures: (id, plan, ciphertext) => {
      const upload = { contentType: BINARY, body: () => new Uint8Array(ciphertext) };
      return done(put(of(id, `/signatures${about(plan)}`), upload));
    },
    publishShare: (id, envelope) =>
      done(post(of(id, '/shares'), { envelope: envelopeJsonOf(envelope) })),
    publishReleaseKey: (id, envelope) =>
      done(post(of(id, '/release-key'), { envelope: envelopeJsonOf(envelope) })),
    reviews: async (id) => (await getJson(of(id, '/reviews'), reviewsResponse, PAGE)).reviews,
    sendReview: (id, envelope) =>
      json(post(of(id, '/reviews'), { envelope: envelopeJsonOf(envelope) }), receiptResponse),
    sendMessages: (id, messages) => json(post(of(id, '/messages'), { messages }), messagesAccepted),
    messages: async (id) => (await getJson(of(id, '/messages'), messagesResponse, PAGE)).messages,
    contacts: async (id) => (await getJson(of(id, '/contacts'), contactsResponse, PAGE)).contacts,

    document: (id, name) => bytes(get(of(id, `/documents/${encodeURIComponent(name)}`)), DOCUMENT),
    closingKey: async (id) => (await getJson(of(id, '/closing-key'), closingKeyResponse)).key,
    dummies: async () => utf8Decode(await bytes(get('/v1/dummies'), PAGE)),
    openings: (id) =>
      collectPages(
        (query) =>
          getPage(of(id, `/openings${query}`), openingsResponse, (answer) => answer.openings),
        ({ index }) => index,
      ),
  };
}

/** `undefined` for a 404. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return undefined;
    throw error;
  }
}
