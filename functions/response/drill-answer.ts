import { refused, type Outcome } from '#shared/contracts/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import { answerDrill } from '#shared/ports/drills.ts';
import type { Memos } from '#shared/ports/memos.ts';

/** Somebody says on his page that the drill has reached him. */
export const takeDrillAnswer = async (
  { memos, clock }: { memos: Memos; clock: Clock },
  member: string,
): Promise<Outcome> =>
  (await answerDrill({ memos }, [member], 'page', clock.now().getTime()))
    ? { kind: 'done', body: { answered: true } }
    : refused('impossible', '现在没有要您应答的通讯演练。');
