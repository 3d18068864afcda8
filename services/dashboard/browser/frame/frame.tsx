import type { ComponentChildren } from 'preact';
import { tokenWanted } from '../api.ts';
import { READ } from '../endpoints.ts';
import { changes, slowChanges } from '../live.ts';
import { CommandDialog, CommandResult } from '../parts/operate.tsx';
import { Sprite } from '../parts/sprite.tsx';
import { TokenDialog } from '../parts/token.tsx';
import { useResource } from '../resource.ts';
import type { Status, Verification, WhoAmI } from '../types.ts';
import { LiveRegion } from './announce.tsx';
import { FrameDialog } from './dialogs.tsx';
import { Side, TopBar } from './side.tsx';
import { SignIn } from './sign-in.tsx';
import { SourceContext } from './source.ts';

/** Everything around a page: navigation, banners, dialogs. Without a token it shows the sign-in page instead. */
export function Frame({ children }: { readonly children: ComponentChildren }) {
  const status = useResource<Status>(READ.status, changes.value);
  const whoami = useResource<WhoAmI>(READ.whoami, slowChanges.value);
  const verification = useResource<Verification>(READ.verification, slowChanges.value);
  if (tokenWanted.value && whoami.data === null) {
    return (
      <>
        <Sprite />
        <SignIn />
      </>
    );
  }
  return (
    <SourceContext.Provider value={{ status, whoami, verification }}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Sprite />
      <div class="app">
        <TopBar />
        <Side />
        <main id="main" tabIndex={-1}>
          <CommandResult />
          {children}
        </main>
      </div>
      <LiveRegion />
      <FrameDialog />
      <CommandDialog />
      <TokenDialog />
    </SourceContext.Provider>
  );
}
