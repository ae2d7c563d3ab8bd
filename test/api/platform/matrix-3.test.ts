import { tryRoutes } from './matrix/matrix.suite.ts';

tryRoutes(2, 6);
