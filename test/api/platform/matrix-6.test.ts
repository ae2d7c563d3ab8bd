import { tryRoutes } from './matrix/matrix.suite.ts';

tryRoutes(5, 6);
