import { tryRoutes } from './matrix/matrix.suite.ts';

tryRoutes(4, 6);
