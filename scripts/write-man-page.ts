import { manPage } from './docs/man-page.ts';

process.stdout.write(manPage());
