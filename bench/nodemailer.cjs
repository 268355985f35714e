// nodemailer, the usual SMTP client of the Node.js world: a pool of connections, raw bytes.
//
// `node nodemailer.cjs HOST PORT MAILS CONNECTIONS SENDER RECIPIENT` reads the message from stdin, sends it so
// many times, and prints the seconds that took, and the seconds of processor time meanwhile.
"use strict";

const { readFileSync } = require("node:fs");
const nodemailer = require("nodemailer");

const [host, port, mails, connections, from, to] = process.argv.slice(2);
const raw = readFileSync(0);
const pool = nodemailer.createTransport({
  host,
  port: Number(port),
  ignoreTLS: true,
  pool: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});
let left = Number(mails);

async function work() {
  while (left > 0) {
    left -= 1;
    await pool.sendMail({ envelope: { from, to }, raw });
  }
}

async function main() {
  const began = process.hrtime.bigint();
  const before = process.cpuUsage();
  // Two for each connection, so that none waits for us.
  await Promise.all(Array.from({ length: 2 * Number(connections) }, work));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const cpu = process.cpuUsage(before);
  console.log(JSON.stringify({ seconds, cpu: (cpu.user + cpu.system) / 1e6 }));
  pool.close();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
