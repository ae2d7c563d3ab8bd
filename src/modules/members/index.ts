export { membersRoutes } from './members.routes.ts';
export { channelMembers } from './members.table.ts';
