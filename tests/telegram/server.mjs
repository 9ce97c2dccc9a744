// A third party's stand-in for Telegram's Bot API (npm: telegram-test-api), behind a shim. Ends when its input does.
//
//   node server.mjs      prints one JSON line: {"url": …}
//
// The bot speaks to the shim, people write by the stand-in's own client (POST /person/…). The shim adds what the stand-in leaves out:
//   getMe                      lacks is_bot and the right name
//   getUpdates                 does not wait; the shim asks again until the time-out that the bot gave
//   callback queries           lack chat_instance and the message's keyboard; dates are in milliseconds
//   setWebhook, deleteWebhook, answerCallbackQuery, editMessage…   answer null in the place of true or a message
//   blocking                   is unknown to it: the shim answers 403 as Telegram does
// Everything else goes through as it is: what a message or an update holds is the stand-in's own.
import http from 'node:http';
import telegram from 'telegram-test-api';

const TOKEN = '123456:AAF-token_of_a_story_0123456789';
const TelegramServer = telegram.default ?? telegram.TelegramServer ?? telegram;

const probe = http.createServer();
await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
const port = probe.address().port;
await new Promise((resolve) => probe.close(resolve));
const peer = new TelegramServer({ port, host: '127.0.0.1', storeTimeout: 600 });
await peer.start();

const blocked = new Set();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seconds = (date) => (date > 1e11 ? Math.floor(date / 1000) : date);

async function ask(method, body) {
  const answer = await fetch(`http://127.0.0.1:${port}/bot${TOKEN}/${method}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  return [answer.status, await answer.json()];
}

function mended(update) {
  const query = update.callback_query;
  if (query) {
    query.chat_instance = '1';
    query.message.date = seconds(query.message.date ?? Date.now());
  } else {
    update.message.date = seconds(update.message.date);
  }
  return update;
}

async function bot(method, body) {
  if (method === 'sendMessage' && blocked.has(Number(body.chat_id))) {
    return [403, { ok: false, error_code: 403, description: 'Forbidden: bot was blocked by the user' }];
  }
  if (method === 'getUpdates') {
    const until = Date.now() + (body.timeout ?? 0) * 1000;
    for (;;) {
      const [status, answer] = await ask(method, body);
      if (status !== 200 || answer.result.length > 0 || Date.now() >= until) {
        return [status, { ...answer, result: answer.result?.map(mended) }];
      }
      await pause(50);
    }
  }
  const [status, answer] = await ask(method, body);
  if (status === 200 && answer.result === null) answer.result = true;
  if (method === 'getMe') Object.assign(answer.result, { is_bot: true, id: 123456, username: 'harbor_light_bot' });
  if (method === 'sendMessage' && answer.result?.date) answer.result.date = seconds(answer.result.date);
  return [status, answer];
}

const client = (chat) => peer.getClient(TOKEN, { userId: chat, chatId: chat, firstName: 'Somebody', timeout: 5000 });
const inChat = (chat) =>
  peer.getUpdatesHistory(TOKEN).filter((u) => u.message && String(u.message.chat_id) === String(chat))
    .map((u) => ({ id: u.messageId, text: u.message.text, buttons: (u.message.reply_markup?.inline_keyboard ?? []).flat() }));

const people = {
  async writes({ chat, text }) {
    const who = client(chat);
    await (text.startsWith('/') ? who.sendCommand(who.makeCommand(text)) : who.sendMessage(who.makeMessage(text)));
    return true;
  },
  async presses({ chat, message, says }) {
    const who = client(chat);
    const shown = inChat(chat).find((m) => m.id === message);
    const pressed = { message_id: message, text: shown.text, date: Date.now(), reply_markup: { inline_keyboard: shown.buttons.map((b) => [b]) } };
    await who.sendCallback(who.makeCallbackQuery(says, { message: pressed }));
    return true;
  },
  async blocks({ chat }) {
    blocked.add(chat);
    return true;
  },
  async sees({ chat }) {
    return inChat(chat);
  },
};

const shim = http.createServer(async (request, response) => {
  let text = '';
  for await (const part of request) text += part;
  const body = text ? JSON.parse(text) : {};
  const [, whose, what] = request.url.split('/');
  let status = 200;
  let answer;
  try {
    if (whose === 'person') answer = await people[what](body);
    else if (whose === `bot${TOKEN}`) [status, answer] = await bot(what, body);
    else [status, answer] = [401, { ok: false, error_code: 401, description: 'Unauthorized' }];
  } catch (error) {
    [status, answer] = [500, { ok: false, error_code: 500, description: String(error) }];
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer));
});
await new Promise((resolve) => shim.listen(0, '127.0.0.1', resolve));
console.log(JSON.stringify({ url: `http://127.0.0.1:${shim.address().port}` }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
