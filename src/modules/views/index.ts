export { rotateViewSalts } from './usecases/rotate-salts.ts';
export { viewsRoutes } from './views.routes.ts';
