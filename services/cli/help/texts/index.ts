import type { HelpTexts } from '../help-text.ts';
import { FIX } from './fix.ts';
import { GET_STARTED } from './get-started.ts';
import { OBSERVE } from './observe.ts';
import { OPERATE } from './operate.ts';
import { PROVE } from './prove.ts';
import { STOP } from './stop.ts';

export const HELP: HelpTexts = { ...GET_STARTED, ...OBSERVE, ...FIX, ...STOP, ...PROVE, ...OPERATE };
