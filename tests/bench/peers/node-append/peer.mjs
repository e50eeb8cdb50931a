import { main } from '../node-common/main.mjs';
import { decide } from '../node-common/rules.mjs';
import { AppendStore } from './append-store.mjs';

await main((file, now) => new AppendStore(file, now), decide);
