import { tryRoutes } from './matrix/matrix.suite.ts';

tryRoutes(1, 6);
