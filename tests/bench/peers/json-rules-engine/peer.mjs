import { main } from '../node-common/main.mjs';
import { UsualStore } from '../node-common/usual-store.mjs';
import { decide } from './rules.mjs';

await main((file, now) => new UsualStore(file, now), decide);
