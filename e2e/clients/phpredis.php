<?php

declare(strict_types=1);

// Facts about phpredis. Its subscribe blocks and calls back for each message, so publishers are processes beside it; it
// is left by closing the connection, which it then says was closed.

require __DIR__ . '/facts.php';

function dial(): Redis
{
    $client = new Redis();
    fact($client->connect(HOST, PORT), true);
    return $client;
}

// listen subscribes ('subscribe' or 'psubscribe') while $publish runs beside it with a connection of its own, and
// returns the first $n messages as arrays of what the callback was told. $hear is called with each.
function listen(Redis $client, string $how, array $names, int $n, callable $publish, ?callable $hear = null): array
{
    $wait = beside(function () use ($how, $names, $publish) {
        $publisher = dial();
        $subscribed = fn () => $how === 'subscribe' ? array_sum($publisher->pubsub('numsub', $names)) : $publisher->pubsub('numpat');
        while ($subscribed() !== count($names)) {
            usleep(1000);
        }
        $publish($publisher);
    });
    $heard = [];
    $callback = function (Redis $client, string ...$told) use (&$heard, $n, $hear) {
        $heard[] = $told;
        if ($hear !== null) {
            $hear($client, ...$told);
        }
        if (count($heard) === $n) {
            $client->close();
        }
    };
    fails(fn () => $client->$how($names, $callback), 'Connection closed');
    $wait();
    return $heard;
}

function pubsub(): void
{
    chapter('connecting');
    $client = dial();
    fact($client->ping(), true);
    fact($client->ping('hello'), 'hello');
    fact($client->echo(EVERY_BYTE), EVERY_BYTE);
    fact($client->client('getname'), false);
    fact($client->info()['redis_mode'], 'standalone');

    chapter('subscribing, publishing, asking');
    fact(listen($client, 'subscribe', ['news', 'net'], 3, function (Redis $publisher) {
        $channels = $publisher->pubsub('channels');
        sort($channels);
        fact($channels, ['net', 'news']);
        fact($publisher->pubsub('channels', 'ne[a-v]*'), ['net']);
        fact(array_map('intval', $publisher->pubsub('numsub', ['news', 'none'])), ['news' => 1, 'none' => 0]);
        fact($publisher->pubsub('numpat'), 0);
        fact($publisher->rawCommand('PUBSUB', 'SHARDCHANNELS'), []);
        fact($publisher->rawCommand('PUBSUB', 'SHARDNUMSUB', 'news'), ['news', 0]);
        fact($publisher->publish('news', 'hello'), 1);
        fact($publisher->publish('other', 'hello'), 0);
        fact($publisher->rawCommand('SPUBLISH', 'news', 'hello'), 0);
        fact($publisher->publish('net', ''), 1);
        fact($publisher->publish('news', MEGABYTE), 1);
    }), [['news', 'hello'], ['net', ''], ['news', MEGABYTE]]);
    fact(listen($client, 'psubscribe', ['a*', 'n*'], 2, function (Redis $publisher) {
        fact($publisher->publish('news', 'hello'), 1);
        fact($publisher->publish('anna', 'hello'), 1);
    }), [['n*', 'news', 'hello'], ['a*', 'anna', 'hello']]);

    chapter('unsubscribing from the callback');
    $numsub = fn (Redis $publisher, string $channel) => (int) $publisher->pubsub('numsub', [$channel])[$channel];
    fact(listen($client, 'subscribe', ['news', 'net'], 2, function (Redis $publisher) use ($numsub) {
        fact($publisher->publish('news', 'hello'), 1);
        while ($numsub($publisher, 'news') > 0);
        fact($publisher->publish('news', 'gone'), 0);
        fact($publisher->publish('net', 'the end'), 1);
        while ($numsub($publisher, 'net') > 0);
        fact($publisher->publish('net', 'gone'), 0);
    }, function (Redis $client, string $channel) {
        if ($channel === 'news') {
            fact($client->unsubscribe(['news']), ['news' => true]);
        }
    }), [['news', 'hello'], ['net', 'the end']]);
    fact($client->publish('net', 'connected again by itself'), 0);

    chapter('bytes of all kinds, in messages and in names');
    fact(listen($client, 'subscribe', [EVERY_BYTE], 1, fn (Redis $publisher) => fact($publisher->publish(EVERY_BYTE, EVERY_BYTE), 1)),
        [[EVERY_BYTE, EVERY_BYTE]]);
    fact(listen($client, 'psubscribe', ["\xff\r\n*"], 1, fn (Redis $publisher) => fact($publisher->publish("\xff\r\n\0", ''), 1)),
        [["\xff\r\n*", "\xff\r\n\0", '']]);

    chapter('pipeline and transaction: counts and messages in order');
    $numbers = array_map('strval', range(0, 99));
    foreach ([Redis::PIPELINE, Redis::MULTI] as $mode) {
        fact(listen($client, 'subscribe', ['c'], 100, function (Redis $publisher) use ($mode, $numbers) {
            $batch = $publisher->multi($mode);
            foreach ($numbers as $n) {
                $batch->publish('c', $n);
            }
            fact($batch->exec(), array_fill(0, 100, 1));
        }), array_map(fn ($n) => ['c', $n], $numbers));
    }

    chapter('several connections: each has its own subscriptions, and each is counted');
    $members = array_map(fn () => beside(function () {
        fails(fn () => dial()->subscribe(['square'], function (Redis $member, string $channel, string $message) {
            fact($message, 'hello');
            $member->close();
        }), 'Connection closed');
    }), range(1, 5));
    while ($numsub($client, 'square') < 5);
    fact($client->publish('square', 'hello'), 5);
    foreach ($members as $wait) {
        $wait();
    }

    chapter('a persistent connection is checked and used again');
    $ids = [];
    for ($i = 0; $i < 2; $i++) {
        $persistent = new Redis();
        fact($persistent->pconnect(HOST, PORT), true);
        $ids[] = $persistent->rawCommand('CLIENT', 'ID');
        unset($persistent);
    }
    fact($ids[0], $ids[1]);
    fact($client->close(), true);
}

function restart(): void
{
    chapter('a crash of the server is an exception to a subscriber; the next command of others connects again');
    [$client, $publisher] = [dial(), dial()];
    // With retries, which are the default, phpredis connects again and listens, subscribed to nothing, to Redis too.
    fact($client->setOption(Redis::OPT_MAX_RETRIES, 0), true);
    fact($publisher->ping(), true);
    $wait = beside(function () {
        $other = dial();
        while ($other->publish('news', 'before') === 0);
    });
    fails(fn () => $client->subscribe(['news'], function (Redis $client, string $channel, string $message) use ($wait) {
        fact($message, 'before');
        $wait();
        serverRestarts();
    }), 'Connection lost');
    fact($publisher->publish('news', 'nobody there'), 0);
    fact(listen(dial(), 'subscribe', ['news'], 1, fn (Redis $publisher) => fact($publisher->publish('news', 'after'), 1)),
        [['news', 'after']]);
}

function password(): void
{
    chapter('none, the wrong password, the wrong user, the right ones');
    $client = dial();
    fails(fn () => $client->publish('news', 'hello'), 'NOAUTH Authentication required.');
    fails(fn () => $client->auth('guess'), 'WRONGPASS invalid username-password pair or user is disabled.');
    fails(fn () => $client->auth(['nobody', 'secret']), 'WRONGPASS');
    fact($client->auth('secret'), true);
    fact($client->auth(['default', 'secret']), true);
    fact($client->select(3), true);
    fact($client->client('setname', 'me'), true);
    fact($client->client('getname'), 'me');
    fact($client->publish('news', 'hello'), 0);
    fact($client->close(), true);
    fact($client->publish('news', 'connected again, with the password'), 0);
}

match ($argv[1]) {
    'pubsub' => pubsub(),
    'restart' => restart(),
    'password' => password(),
};
