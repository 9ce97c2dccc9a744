// Twilio's own counter of SMS segments: JSON lines {"text"} in, {"encoding","segments"} out.
import { createInterface } from 'node:readline';
import counter from 'sms-segments-calculator';

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const counted = new counter.SegmentedMessage(JSON.parse(line).text);
  console.log(JSON.stringify({ encoding: counted.getEncodingName(), segments: counted.segmentsCount }));
}
