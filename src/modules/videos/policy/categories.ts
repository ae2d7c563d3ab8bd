/** What a video is about. The ids stand in the database and in links of clients: they never change their meaning. */
export const categories = {
  animation: 'Film & animation',
  art: 'Art & design',
  autos: 'Cars & vehicles',
  beauty: 'Fashion & beauty',
  comedy: 'Comedy',
  education: 'Education',
  entertainment: 'Entertainment',
  family: 'Family & children',
  food: 'Food & cooking',
  gaming: 'Gaming',
  health: 'Health & fitness',
  history: 'History',
  howto: 'How-to & do it yourself',
  music: 'Music',
  nature: 'Nature & animals',
  news: 'News & politics',
  nonprofit: 'Non-profits & activism',
  people: 'People & vlogs',
  podcasts: 'Podcasts & talk',
  science: 'Science & technology',
  sports: 'Sports',
  travel: 'Travel & events',
} as const;

export type CategoryId = keyof typeof categories;

export const categoryIds = Object.keys(categories) as [CategoryId, ...CategoryId[]];
