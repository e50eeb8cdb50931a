import { main } from '../node-common/main.mjs';
import { decide } from '../node-common/rules.mjs';
import { UsualStore } from '../node-common/usual-store.mjs';

await main((file, now) => new UsualStore(file, now), decide);
