'use strict';

// What does co-wechat-api do with a token server? Its users change `prefix`, and call WeChat by its whole address, or below
// that prefix as well (-).
//
// One program with many tasks and one API object. Each line on standard input is the token server's address, and a round:
// every task makes one call. The answer is a line of JSON: how many calls succeeded, what the others raised, how many
// requests all of it took.

const readline = require('readline');
const httpx = require('httpx');
const API = require('co-wechat-api');

const [platform, appid, key, tasks] = process.argv.slice(2);

let requests;
let server = '';
const request = httpx.request;
httpx.request = (url, options) => {
  const whose = url.includes('/cgi-bin/token?') ? 'token' : 'api';
  requests[whose] = (requests[whose] || 0) + 1;
  return request(url, options);
};

API.mixin({
  async callbackIps() {
    const { accessToken } = await this.ensureAccessToken();
    return this.request(`${platform}/cgi-bin/getcallbackip?access_token=${accessToken}`);
  },
});

const api = new API(appid, key);

async function round() {
  api.prefix = `${server}/cgi-bin/`;
  requests = {};
  const outcomes = {};
  await Promise.all(Array.from({ length: Number(tasks) }, async () => {
    const outcome = await (platform === '-' ? api.getIp() : api.callbackIps()).then(() => 'ok', (error) => String(error.code || error.name));
    outcomes[outcome] = (outcomes[outcome] || 0) + 1;
  }));
  process.stdout.write(`${JSON.stringify({ outcomes, requests })}\n`);
}

(async () => {
  process.stdout.write('ready\n');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    server = line.trim();
    await round();
  }
})();
