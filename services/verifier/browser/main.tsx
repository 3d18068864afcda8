import { render } from 'preact';
import * as z from 'zod/mini';
import { App } from './app.tsx';

function start(): void {
  const place = document.getElementById('app');
  if (place === null) throw new Error('the page has no element with the id app');
  // The policy of the page forbids code from texts.
  z.config({ jitless: true });
  render(<App />, place);
}

start();
