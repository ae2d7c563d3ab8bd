import { tryRoutes } from './matrix/matrix.suite.ts';

tryRoutes(3, 6);
