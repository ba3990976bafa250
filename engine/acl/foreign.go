package acl

// foreign is the commands of Redis 7.4 that a Catalog of HubSub's does not have.
// Rules may name them, and then mean nothing: users come with the lines that
// they had in Redis. As told by COMMAND LIST, and by the release notes of 7.2
// and 7.4.
const foreign = `
append bgrewriteaof bgsave bitcount bitfield bitfield_ro bitop bitpos blmove blmpop blpop brpop
brpoplpush bzmpop bzpopmax bzpopmin client|pause client|unblock client|unpause cluster|myshardid
copy dbsize decr decrby del dump eval_ro evalsha_ro exists expire expireat expiretime failover fcall
fcall_ro function|delete function|dump function|kill function|list function|load function|restore
function|stats geoadd geodist geohash geopos georadius georadius_ro georadiusbymember
georadiusbymember_ro geosearch geosearchstore get getbit getdel getex getrange getset hdel hexists
hexpire hexpireat hexpiretime hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hpersist
hpexpire hpexpireat hpexpiretime hpttl hrandfield hscan hset hsetnx hstrlen httl hvals incr incrby
incrbyfloat keys lastsave latency latency|doctor latency|graph latency|help latency|histogram
latency|history latency|latest latency|reset lcs lindex linsert llen lmove lmpop lolwut lpop lpos
lpush lpushx lrange lrem lset ltrim memory memory|doctor memory|help memory|malloc-stats
memory|purge memory|stats memory|usage mget migrate module module|help module|list module|load
module|loadex module|unload monitor move mset msetnx object object|encoding object|freq object|help
object|idletime object|refcount persist pexpire pexpireat pexpiretime pfadd pfcount pfdebug pfmerge
pfselftest psetex psync pttl randomkey rename renamenx replconf replicaof restore restore-asking
rpop rpoplpush rpush rpushx sadd save scan scard script script|debug script|exists script|flush
script|help script|kill script|load sdiff sdiffstore set setbit setex setnx setrange sinter
sintercard sinterstore sismember slaveof slowlog slowlog|get slowlog|help slowlog|len slowlog|reset
smembers smismember smove sort sort_ro spop srandmember srem sscan strlen substr sunion sunionstore
swapdb sync touch ttl type unlink unwatch wait waitaof watch xack xadd xautoclaim xclaim xdel xgroup
xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|help xgroup|setid xinfo
xinfo|consumers xinfo|groups xinfo|help xinfo|stream xlen xpending xread xreadgroup xsetid xtrim
zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore
zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex
zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore
zunion zunionstore
`
