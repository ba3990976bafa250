<?php

declare(strict_types=1);

// What the PHP programs share. A program is called as
//
//     php phpredis.php PART PORT
//
// with one of its parts. It ends with code 0 if all its facts hold. The chapters that it prints tell where it stopped.

const HOST = '127.0.0.1';
define('PORT', (int) $argv[2]);

// Every byte value, and line ends where a sloppy parser would look for them.
define('EVERY_BYTE', "\r\n$-1\r\n" . implode('', array_map('chr', range(0, 255))) . "\r\n");

// A message of 1 MB that differs all along.
define('MEGABYTE', implode('', array_map(fn ($i) => sprintf('%07d;', $i), range(0, 1e6 / 8 - 1))));

function chapter(string $title): void
{
    fwrite(STDERR, "# $title\n");
}

// fact ends the program if $got is not $want.
function fact(mixed $got, mixed $want): void
{
    if ($got !== $want) {
        throw new Exception(sprintf('got %.300s, want %.300s', var_export($got, true), var_export($want, true)));
    }
}

// fails ends the program unless $call throws a RedisException whose message has $text.
function fails(callable $call, string $text): void
{
    try {
        $got = $call();
    } catch (RedisException $e) {
        if (str_contains($e->getMessage(), $text)) {
            return;
        }
        throw $e;
    }
    throw new Exception(sprintf('got %s, want an exception: %s', var_export($got, true), $text));
}

// beside runs $work in a process of its own. If it fails, so does the program; $wait() returns when it has ended.
function beside(callable $work): callable
{
    $pid = pcntl_fork();
    if ($pid === 0) {
        try {
            $work();
        } catch (Throwable $e) {
            fwrite(STDERR, "$e\n");
            posix_kill(posix_getppid(), SIGKILL);
        }
        exit(0);
    }
    register_shutdown_function(function () use ($pid) {
        if (pcntl_waitpid($pid, $status, WNOHANG) === 0) {
            posix_kill($pid, SIGKILL);
        }
    });
    return fn () => pcntl_waitpid($pid, $status);
}

// serverRestarts has the test kill the server and start it again on its port.
function serverRestarts(): void
{
    echo "ready\n";
    fgets(STDIN);
}
