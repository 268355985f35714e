// Reads {"mail": base64, "records": {name: text}} and prints what mailauth finds of its DKIM signatures.
// The DNS is only what stands in `records`: nothing is asked of the network.
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { mail, records } = JSON.parse(Buffer.concat(chunks).toString());

const resolver = async (name, type) => {
    if (type === 'TXT' && name in records) return [[records[name]]];
    throw Object.assign(new Error(`no ${type} record for ${name}`), { code: 'ENOTFOUND' });
};
const { results } = await dkimVerify(Buffer.from(mail, 'base64'), { resolver });
console.log(
    JSON.stringify(
        results.map(({ signingDomain, selector, algo, status, signingHeaders }) => ({
            domain: signingDomain,
            selector,
            algorithm: algo,
            result: status.result,
            comment: status.comment,
            aligned: status.aligned,
            headers: signingHeaders?.keys
        }))
    )
);
