'use strict';
// A member and a client of Proto.Remote's protocol, made of @grpc/grpc-js and protobufjs alone. It serves an echo actor, runs its scenarios
// against the node under test, says "ok <scenario>" or "failed <scenario> <why>" for each, and serves on until its input ends.

const assert = require('assert');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const [address, nodeId, engineProtos, testProtos] = process.argv.slice(2);
const files = ['Proto.Remote/Protos.proto', 'Proto.Actor/Protos.proto', 'TestMessages.proto'];
const includeDirs = [engineProtos, testProtos];
const definition = loader.loadSync(files, { includeDirs, keepCase: true, longs: Number, defaults: true, oneofs: true });
const Remoting = grpc.loadPackageDefinition(definition).remote.Remoting;
const types = new protobuf.Root();
types.resolvePath = (_, target) => includeDirs.map(dir => `${dir}/${target}`).find(path => require('fs').existsSync(path));
types.loadSync(files, { keepCase: true });

const encode = (type, content) => Buffer.from(types.lookupType(type).encode(content).finish());
const decode = (type, bytes) => types.lookupType(type).toObject(types.lookupType(type).decode(bytes), { longs: Number, defaults: true });

// ---- The member: what arrives, for whom, and the echo actor.

const arrived = [];
let waiting = [];

function arrives(message) {
  arrived.push(message);
  waiting = waiting.filter(wait => !wait(message));
}

function next(target) {
  return new Promise(resolve => {
    const known = arrived.findIndex(message => message.target === target);
    if (known >= 0) return resolve(arrived.splice(known, 1)[0]);
    waiting.push(message => message.target === target && (arrived.splice(arrived.indexOf(message), 1), resolve(message), true));
  });
}

function open(batch) {
  return batch.envelopes.map(envelope => ({
    type: batch.type_names[envelope.type_id],
    target: batch.targets[envelope.target],
    targetRequestId: envelope.target_request_id,
    sender: envelope.sender === 0 ? null : batch.senders[envelope.sender - 1],
    senderRequestId: envelope.sender_request_id,
    data: envelope.message_data,
    serializer: envelope.serializer_id,
    header: envelope.message_header ? envelope.message_header.header_data : {},
  }));
}

function batchOf(type, content, target, more = {}) {
  const { sender, ...ids } = more;
  return {
    message_batch: {
      type_names: [type],
      targets: [target],
      envelopes: [{ message_data: encode(type, content), sender: sender ? 1 : 0, ...ids }],
      senders: sender ? [sender] : [],
    },
  };
}

function receive(call) {
  call.on('data', frame => {
    if (frame.message_type === 'connect_request') {
      const blocked = call.metadata.get('x-refuse-me').length > 0;
      call.peer = frame.connect_request;
      call.write({ connect_response: { member_id: 'js', blocked } });
      if (blocked) call.end();
    } else if (frame.message_type === 'message_batch') {
      for (const message of open(frame.message_batch)) {
        if (message.target === 'echo') echo(call, message);
        else arrives({ ...message, metadata: call.metadata });
      }
    }
  });
  call.on('end', () => call.end());
  call.on('error', () => {}); // the caller is gone
}

function echo(call, { data, sender, senderRequestId }) {
  const answer = batchOf('prototest.Pong', decode('prototest.Ping', data), sender.Id, { target_request_id: senderRequestId });
  if (call.peer.connection_type === 'client_connection') call.write(answer);
  else member(call.peer.server_connection.address).then(stream => stream.write(answer));
}

const server = new grpc.Server();
server.addService(Remoting.service, { Receive: receive });

// ---- The calling side.

let myAddress;
const streams = new Map();

function connect(target, greeting) {
  const stream = new Remoting(target, grpc.credentials.createInsecure()).Receive();
  stream.on('error', () => {}); // its status says it
  return new Promise((resolve, reject) => {
    stream.once('data', frame => resolve({ stream, answer: frame.connect_response }));
    stream.once('status', status => reject(new Error(status.details)));
    stream.write({ connect_request: greeting });
  });
}

function member(target) {
  if (!streams.has(target)) {
    const greeting = { server_connection: { member_id: 'js', address: myAddress, block_list: ['nobody'] } };
    streams.set(target, connect(target, greeting).then(({ stream }) => stream));
  }
  return streams.get(target);
}

const client = id => connect(address, { client_connection: { member_id: id } });
const nextFrame = stream => new Promise(resolve => stream.once('data', resolve));
const statusOf = stream => new Promise(resolve => stream.once('status', resolve));

/** A stream of bytes that nobody serialised. */
function rawStream(options = {}) {
  const same = bytes => bytes;
  const stream = new grpc.Client(address, grpc.credentials.createInsecure(), options)
    .makeBidiStreamRequest('/remote.Remoting/Receive', same, same);
  stream.on('error', () => {});
  stream.on('data', () => {});
  return stream;
}

const unary = (method, request) => new Promise(resolve =>
  new grpc.Client(address, grpc.credentials.createInsecure())
    .makeUnaryRequest(method, bytes => bytes, bytes => bytes, request, (error, answer) => resolve({ error, answer })));

const scenarios = {
  async 'a member is answered with the id'() {
    const { answer, stream } = await connect(address, { server_connection: { member_id: 'js', address: '127.0.0.1:1' } });
    assert.deepStrictEqual([answer.member_id, answer.blocked], [nodeId, false]);
    stream.end();
    assert.strictEqual((await statusOf(stream)).code, grpc.status.OK);
  },

  async 'a member asks and is answered over its own server'() {
    const stream = await member(address);
    stream.write(batchOf('prototest.Ping', { number: 41, text: 'hé' }, 'echo', {
      sender: { Address: '', Id: 'asker' }, sender_request_id: 7, message_header: { header_data: { trace: 'a1' } },
    }));
    const reply = await next('asker');
    assert.strictEqual(reply.type, 'prototest.Pong');
    assert.strictEqual(reply.targetRequestId, 7);
    assert.strictEqual(reply.serializer, 0);
    const pong = decode('prototest.Pong', reply.data);
    assert.deepStrictEqual([pong.number, pong.text], [41, 'hé']);
    assert.deepStrictEqual(reply.metadata.get('x-from'), ['the node']);
  },

  async 'a member watches and learns of the end'() {
    const stream = await member(address);
    const watcher = { Address: myAddress, Id: 'watcher' };
    stream.write(batchOf('actor.Watch', { Watcher: watcher }, 'mortal'));
    stream.write(batchOf('actor.Stop', {}, 'mortal'));
    const told = await next('watcher');
    assert.strictEqual(told.type, 'actor.Terminated');
    const terminated = decode('actor.Terminated', told.data);
    assert.deepStrictEqual([terminated.who.Address, terminated.who.Id, terminated.Why], [address, 'mortal', 0]);
  },

  async 'a client asks and is answered over its stream'() {
    const { stream, answer } = await client('js-client');
    assert.strictEqual(answer.member_id, nodeId);
    stream.write(batchOf('prototest.Ping', { number: 5 }, 'echo', { sender: { Id: 'inbox' }, sender_request_id: 3 }));
    const [reply] = open((await nextFrame(stream)).message_batch);
    // The member knows the actor as $client/js-client/inbox; the client gets its own name back.
    assert.deepStrictEqual([reply.type, reply.target, reply.targetRequestId], ['prototest.Pong', 'inbox', 3]);
    assert.strictEqual(decode('prototest.Pong', reply.data).number, 5);
    stream.cancel();
  },

  async 'order holds in both directions'() {
    const { stream } = await client('js-orderly');
    const count = 2000;
    const replies = [];
    const all = new Promise(resolve => stream.on('data', frame => {
      for (const reply of open(frame.message_batch)) replies.push(decode('prototest.Pong', reply.data).number);
      if (replies.length === count) resolve();
    }));
    for (let i = 0; i < count; i++) stream.write(batchOf('prototest.Ping', { number: i }, 'echo', { sender: { Id: 'inbox' } }));
    await all;
    assert.deepStrictEqual(replies, [...Array(count).keys()]);
    stream.cancel();
  },

  async 'an actor that clients may not reach'() {
    const { stream } = await client('js-curious');
    stream.write(batchOf('prototest.Ping', {}, '$gossip', { sender: { Id: 'inbox' }, sender_request_id: 9 }));
    const [reply] = open((await nextFrame(stream)).message_batch);
    assert.deepStrictEqual([reply.type, reply.targetRequestId], ['actor.DeadLetterResponse', 9]);
    assert.match(reply.header['dead-letter-reason'], /clients .* may not send prototest.Ping to \$gossip/);
    stream.cancel();
  },

  async 'garbage ends the stream with a status'() {
    const stream = rawStream();
    stream.write(Buffer.from([0xff, 0xff, 0xff]));
    const status = await statusOf(stream);
    assert.strictEqual(status.code, grpc.status.INVALID_ARGUMENT);
    assert.match(status.details, /malformed RemoteMessage/);
  },

  async 'a frame over the limit is refused'() {
    const stream = rawStream();
    stream.write(Buffer.alloc(300_000));
    const status = await statusOf(stream);
    assert.strictEqual(status.code, grpc.status.RESOURCE_EXHAUSTED);
    assert.match(status.details, /300000 bytes is over the limit/);
  },

  async 'a compressed frame is refused'() {
    const stream = rawStream({ 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
    stream.write(Buffer.alloc(1000));
    assert.strictEqual((await statusOf(stream)).code, grpc.status.UNIMPLEMENTED);
  },

  async 'health is asked for'() {
    assert.deepStrictEqual([...(await unary('/grpc.health.v1.Health/Check', Buffer.alloc(0))).answer], [8, 1]);
    const unknown = await unary('/grpc.health.v1.Health/Check', Buffer.from([0x0a, 1, 0x78]));
    assert.strictEqual(unknown.error.code, grpc.status.NOT_FOUND);
  },

  async 'an unknown method is unimplemented'() {
    assert.strictEqual((await unary('/remote.Remoting/Nothing', Buffer.alloc(0))).error.code, grpc.status.UNIMPLEMENTED);
  },

  async 'processes are listed'() {
    const stub = new Remoting(address, grpc.credentials.createInsecure());
    const listed = await new Promise((resolve, reject) =>
      stub.ListProcesses({ pattern: 'ech', type: 'MatchPartOfString' }, (error, answer) => error ? reject(error) : resolve(answer)));
    assert.deepStrictEqual(listed.pids, [{ Address: address, Id: 'echo', request_id: 0 }]);
  },
};

async function main() {
  const port = await new Promise((resolve, reject) => server.bindAsync(
    '127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => error ? reject(error) : resolve(bound)));
  myAddress = `127.0.0.1:${port}`;
  console.log(`listens ${myAddress}`);
  for (const [name, scenario] of Object.entries(scenarios)) {
    try {
      await scenario();
      console.log(`ok ${name}`);
    } catch (failure) {
      console.log(`failed ${name} ${JSON.stringify(failure.message)}`);
    }
  }
}

process.stdin.on('end', () => process.exit(0)).resume();
main();
