import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../command.ts';
import { CliError, LoginError } from '../errors.ts';
import { openCampaignDirectory, type CampaignDirectory } from './campaign-directory.ts';
import { findConfig, writeConfig, type Config } from './config.ts';
import { hasErrorCode, writeNew } from './files.ts';
import * as keys from './keys.ts';
import { openState, type StateFile } from './state.ts';

/**
 * One person's files: whom they trust, their keys, and what they have seen.
 *
 * ```
 * config.json       server URL and root pin            0644
 * trust/            <n>.root.json, the verified chain
 * tuf/              metadata as tuf-js keeps it
 * keys/             officer.json, officer-root.json, operator.json, reviewer.json, endorser.json   0600
 * state.json        what may not go backwards          0600
 * session.json      cached tokens                      0600
 * campaigns/<id>/   plan, notice, access key, bundles
 * networks/         stake snapshots, `current`
 * receipts/         the server's signed promises
 * evidence/         proof that a log broke its word
 * ```
 */
export interface Home {
  readonly directory: string;
  /** Absolute path of something in it. */
  path(...parts: readonly string[]): string;

  findConfig(): Promise<Config | undefined>;
  /** @throws {@link CliError} before `trust add`. */
  config(): Promise<Config>;
  writeConfig(config: Config): Promise<void>;

  findOfficerKeys(): Promise<keys.OfficerKeys | undefined>;
  /** @throws {@link LoginError} when this home is not an officer's. */
  officerKeys(): Promise<keys.OfficerKeys>;
  officerRootKey(): Promise<keys.OfficerRootKey>;
  writeOfficerKeys(keys: keys.NewOfficerKeys, root: keys.NewOfficerRootKey): Promise<void>;

  findReviewerKeys(): Promise<keys.ReviewerKeys | undefined>;
  /** @throws {@link LoginError} when this home is not a reviewer's. */
  reviewerKeys(): Promise<keys.ReviewerKeys>;
  writeReviewerKeys(reviewer: keys.NewReviewerKeys): Promise<void>;

  findEndorserKeys(): Promise<keys.EndorserKeys | undefined>;
  /** @throws {@link LoginError} when this home is not an endorser's. */
  endorserKeys(): Promise<keys.EndorserKeys>;
  writeEndorserKeys(endorser: keys.NewEndorserKeys): Promise<void>;

  findOperatorKeys(): Promise<keys.OperatorKeys | undefined>;
  /** @throws {@link LoginError} when this home is not an operator's. */
  operatorKeys(): Promise<keys.OperatorKeys>;
  writeOperatorKeys(keys: keys.NewOperatorKeys): Promise<void>;

  readonly state: StateFile;
  campaign(id: string): CampaignDirectory;
  /** Ids of the campaigns it holds anything of, sorted. */
  campaigns(): Promise<readonly string[]>;
  /** Keep a receipt; returns its path. */
  writeReceipt(name: string, content: Uint8Array | string): Promise<string>;
}

export function openHome(context: Pick<Context, 'home' | 'now' | 'sleep'>): Home {
  const directory = context.home;
  const path = (...parts: readonly string[]): string => join(directory, ...parts);
  const officerPath = path('keys', 'officer.json');
  const officerRootPath = path('keys', 'officer-root.json');
  const operatorPath = path('keys', 'operator.json');
  const reviewerPath = path('keys', 'reviewer.json');
  const endorserPath = path('keys', 'endorser.json');

  return {
    directory,
    path,
    findConfig: () => findConfig(path('config.json')),
    async config() {
      const config = await findConfig(path('config.json'));
      if (config) return config;
      throw new CliError(
        'no server is trusted here yet',
        'run: sealdrop trust add URL --root-sha256 HEX, with the digest the foundation published',
      );
    },
    writeConfig: (config) => writeConfig(path('config.json'), config),

    findOfficerKeys: () => keys.findOfficerKeys(officerPath),
    async officerKeys() {
      const found = await keys.findOfficerKeys(officerPath);
      if (found) return found;
      throw new LoginError(
        `no officer's keys in ${directory}`,
        'run: sealdrop officer init --id ID',
      );
    },
    async officerRootKey() {
      const found = await keys.findOfficerRootKey(officerRootPath);
      if (found) return found;
      throw new LoginError(
        `no officer's root key in ${directory}`,
        `bring keys/officer-root.json back from where it is kept offline`,
      );
    },
    async writeOfficerKeys(officer, root) {
      await keys.writeOfficerRootKey(officerRootPath, root);
      await keys.writeOfficerKeys(officerPath, officer);
    },

    findReviewerKeys: () => keys.findReviewerKeys(reviewerPath),
    async reviewerKeys() {
      const found = await keys.findReviewerKeys(reviewerPath);
      if (found) return found;
      throw new LoginError(
        `no reviewer's keys in ${directory}`,
        'run: sealdrop reviewer init --id ID --name FIRM',
      );
    },
    writeReviewerKeys: (reviewer) => keys.writeReviewerKeys(reviewerPath, reviewer),

    findEndorserKeys: () => keys.findEndorserKeys(endorserPath),
    async endorserKeys() {
      const found = await keys.findEndorserKeys(endorserPath);
      if (found) return found;
      throw new LoginError(
        `no endorser's key in ${directory}`,
        'run: sealdrop endorser init --id ID --name NAME',
      );
    },
    writeEndorserKeys: (endorser) => keys.writeEndorserKeys(endorserPath, endorser),

    findOperatorKeys: () => keys.findOperatorKeys(operatorPath),
    async operatorKeys() {
      const found = await keys.findOperatorKeys(operatorPath);
      if (found) return found;
      throw new LoginError(
        `no operator's keys in ${directory}`,
        'run: sealdrop enroll --identity KEYPAIR.json --email ADDRESS',
      );
    },
    writeOperatorKeys: (operator) => keys.writeOperatorKeys(operatorPath, operator),

    state: openState(path('state.json'), context),
    campaign: (id) => openCampaignDirectory(path('campaigns'), id),
    async campaigns() {
      try {
        return (await readdir(path('campaigns'))).sort();
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT')) return [];
        throw error;
      }
    },
    async writeReceipt(name, content) {
      const receipt = path('receipts', name);
      await writeNew(receipt, content, 0o600);
      return receipt;
    },
  };
}
