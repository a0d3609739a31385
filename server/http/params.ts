import type { Request } from 'express';

import { ServiceError } from '../services/error.ts';

/** A parameter of the route's path. @throws {@link ServiceError} `not_found` */
export function paramOf(req: Request, name: 'id' | 'name' | 'sha256'): string {
  const value = req.params[name];
  if (typeof value === 'string') return value;
  throw new ServiceError('not_found', 'no such resource');
}
