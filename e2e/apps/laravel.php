<?php
// What Laravel's redis broadcaster does with phpredis, Laravel's default client: one EVAL of a fixed script for each
// event. The argument is the port of the server on 127.0.0.1. Who subscribes is the test.

// In Laravel's configuration the prefix of keys is the prefix of channels too.
const PREFIX = 'laravel_database_';

// The text as Laravel sends it, line ends and blanks included.
const SCRIPT = "for i = 2, #ARGV do\n  redis.call('publish', ARGV[i], ARGV[1])\nend";

function fact(string $text, mixed $got, mixed $want): void
{
    if ($got !== $want) {
        echo "NOT TRUE: $text: got ", var_export($got, true), ', want ', var_export($want, true), "\n";
        exit(1);
    }
    echo "true: $text\n";
}

function broadcast(Redis $redis, array $channels, string $event, array $data): mixed
{
    $payload = json_encode(['event' => $event, 'data' => $data, 'socket' => null]);
    $names = array_map(fn ($channel) => PREFIX . $channel, $channels);
    return $redis->eval(SCRIPT, [$payload, ...$names], 0);
}

$redis = new Redis();
fact('connected', $redis->connect('127.0.0.1', (int) $argv[1], 2.0), true);
$redis->setOption(Redis::OPT_PREFIX, PREFIX);

$order = ['id' => 1, 'note' => "\u{1F69A}\r\n"];
fact('an event to three channels', broadcast($redis, ['private-orders.1', 'presence-office', 'news'], 'OrderShipped', $order), false);
fact('an event to one', broadcast($redis, ['news'], 'App\\Events\\Saved', []), false);
fact('an event to none', broadcast($redis, [], 'Unheard', []), false);
fact('no error', $redis->getLastError(), null);
fact('another command', $redis->echo('still here'), 'still here');
