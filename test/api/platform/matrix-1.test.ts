import { tryRoutes } from './matrix/matrix.suite.ts';

tryRoutes(0, 6);
