import { describe, expect, it } from 'vitest';
import { block, follow, profile, unfollow } from '../../api/posts/actions.ts';
import { seedUser, type TestUser } from '../../support/worker/client.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

const countsOf = async (user: TestUser): Promise<[number, number]> => {
  const { counters } = await profile(user);
  return [counters.followers, counters.following];
};

describe('follower and following counts', () => {
  it('move once on both sides for a follow and once for its end', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    await follow(bob, ada);
    await follow(carol, ada);
    await follow(ada, bob);
    await deliverEvents({ times: 3, reverse: true });
    expect(await Promise.all([ada, bob, carol].map(countsOf))).toEqual([
      [2, 1],
      [1, 1],
      [0, 1],
    ]);
    await unfollow(bob, ada);
    await deliverEvents({ times: 3 });
    expect(await Promise.all([ada, bob].map(countsOf))).toEqual([
      [1, 1],
      [1, 0],
    ]);
  });

  it('are true in the end when an unfollow overtakes its follow', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await follow(bob, ada);
    const followed = takeMessages();
    await unfollow(bob, ada);
    const unfollowed = takeMessages();
    await follow(bob, ada);
    const followedAgain = takeMessages();
    const steps = [unfollowed, followedAgain, followed, unfollowed, followed, followedAgain];
    for (const step of steps) {
      expect(await deliver(step)).toEqual({ acked: 1, retried: 0 });
      for (const count of [...(await countsOf(ada)), ...(await countsOf(bob))])
        expect(count).toBeGreaterThanOrEqual(0);
    }
    expect(await countsOf(ada)).toEqual([1, 0]);
    expect(await countsOf(bob)).toEqual([0, 1]);
  });

  it('fall with a block, on both sides and in any order', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await follow(bob, ada);
    await follow(ada, bob);
    await block(ada, bob);
    await deliverEvents({ times: 2, reverse: true });
    expect(await countsOf(ada)).toEqual([0, 0]);
    expect(await countsOf(bob)).toEqual([0, 0]);
  });

  it('survive two people following each other at once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await follow(bob, ada);
    await follow(ada, bob);
    const messages = takeMessages();
    await Promise.all([...messages, ...messages, ...messages].map((message) => deliver([message])));
    await deliver(messages);
    expect(await countsOf(ada)).toEqual([1, 1]);
    expect(await countsOf(bob)).toEqual([1, 1]);
  });
});
