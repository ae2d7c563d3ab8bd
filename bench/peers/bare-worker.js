// The floor: the same runtime, the same bytes out, nothing in between.
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    const video = pathname.startsWith('/v1/videos/');
    const body = video ? env.VIDEO : pathname === '/livez' ? env.LIVEZ : env.FEED;
    return new Response(body, { headers: { 'content-type': 'application/json' } });
  },
};
