import { defineConfig } from 'drizzle-kit';
import { loadEnvironment } from './scripts/lib/environment.ts';

// For `npm run db:studio`, a browser for the local primary. Migrations are plain SQL in migrations/, not generated.
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/db/schema.ts',
  dbCredentials: { url: loadEnvironment().DATABASE_OWNER_URL ?? '' },
});
