/** Passwords everybody tries first, of the length this service allows, in lower case. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz1qaz 1q2w3e4r5t6y 123qweasd qweasdzxc qwe123456 a1b2c3d4 a1b2c3d4e5 q1w2e3r4 q1w2e3r4t5
   zaq12wsx zaq1zaq1 zaq1xsw2 xsw2zaq1 qazwsx123 1passwor 123abc456 abc123456 abcd1234 abcde12345 asdf1234 asdfasdf asd123456
   aa123456 a123456789 a12345678 qq123456 q123456789 zz123456 1234qwer 12qwaszx 123qwe123 123qwe456 123456qwe qwer1234
   qwerty12345 147258369 159357456 159753456 741852963 789456123 963852741 987654321a 112233445566 11223344 12344321 12341234
   123123123 123321123 123454321 135792468 13579246 246813579 102030405060 10203040 31415926 314159265 27182818 20202020
   01012000 01011990 01011980 trustno1 iloveyou iloveyou1 iloveyou2 iloveu123 ilovegod ilovejesus iloveme1 loveyou1 lovelove
   letmein1 letmein123 welcome1 welcome123 changeme changeme1 changeit default1 access14 access123 admin123 admin1234
   administrator root1234 toor1234 guest123 test1234 testtest testing1 testing123 tester123 user1234 userpass login123
   p@ssw0rd passw0rd pa55word pa$$word password passwort passwords passphrase motdepasse contrasena contraseña senha123
   secret12 secret123 topsecret whatever whatever1 nothing1 something superman superman1 batman123 spiderman starwars startrek
   pokemon1 naruto123 dragon12 dragonball monkey12 monkey123 football football1 baseball baseball1 basketball softball hockey12
   liverpool liverpool1 arsenal1 chelsea1 barcelona realmadrid juventus manchester manutd12 cowboys1 yankees1 steelers lakers24
   princess princess1 sunshine sunshine1 butterfly chocolate cheese12 cookie12 summer12 summer2020 summer2021 summer2022
   summer2023 summer2024 summer2025 winter12 winter2020 winter2021 winter2022 winter2023 winter2024 winter2025 spring2024
   spring2025 autumn2024 autumn2025 january1 february september november december shadow12 shadow123 master12 master123
   michael1 michelle jennifer jordan23 jessica1 ashley12 charlie1 daniel12 thomas12 matthew1 anthony1 nicholas alexander
   alexandra elizabeth christian christine christopher stephanie veronica victoria caroline samantha danielle jonathan benjamin
   nathaniel isabella gabriel1 william1 patrick1 mercedes porsche9 ferrari1 corvette mustang1 chevrolet cadillac harley12
   yamaha12 kawasaki internet computer computer1 keyboard samsung1 nintendo playstation minecraft fortnite facebook instagram
   linkedin twitter1 youtube1 google12 microsoft windows1 apple123 iphone12 android1 myspace1 hello123 hello1234 helloworld
   hellokitty goodluck godisgood jesus123 jesuschrist blessed1 freedom1 liberty1 phoenix1 matrix12 merlin12 hunter12 ranger12
   soccer12 tigger12 snoopy12 scooby12 buster12 ginger12 pepper12 maggie12 sophie12 bailey12 cooper12 killer12 killer123 fuckyou1
   fuckyou2 fuckoff1 asshole1 bullshit biteme12 blink182 eminem12 metallica nirvana1 slipknot rockstar superstar rainbow1 lovers12
   flower12 diamond1 precious crystal1 midnight marlboro budweise scotland england1 australia germany1 thailand brazil12
   philippines qwertyui asdfghjk zxcvbnm1 poiuytre lkjhgfds mnbvcxz1 maverick predator mountain eclipse1 einstein champion
   gangster gateway1 redskins warriors packers1 bigdaddy bigdick1 blowjobs cocacola coca-cola peanut12 pineapple strawberry
   blueberry raspberry sapphire tinkerbell tweety12 elephant dolphin1 dolphins penguin1 panther1 panthers tottenham everton1
   newcastle rangers1 celtic1888 homer123 simpsons southpark gandalf1 hogwarts harrypotter voldemort skywalker darthvader
   leonardo valentina valentin rosebud1 remember sandiego sanfrancisco newyork1 losangeles california colorado michigan
   florida1 carolina virginia montana1 wolverine terminator undertaker johncena wrestling airborne american america1 usa12345`
    .split(/\s+/)
    .map((word) => word.toLowerCase()),
);

/** Words that stay guessable however many digits stand around them. */
export const commonWords: ReadonlySet<string> = new Set(
  `password passwd passwort pass passphrase qwerty qwertz azerty asdfgh zxcvbn letmein welcome admin administrator root guest
   test testing tester user login access secret changeme default master dragon monkey shadow sunshine princess football baseball
   basketball soccer hockey superman batman iloveyou love hello freedom whatever trustno flower summer winter spring autumn
   january february march april june july august september october november december monday friday sunday charlie michael
   jordan hunter killer pepper ginger cookie computer internet google facebook twitter instagram youtube twitch samsung apple
   socialflow social flow abc abcd abcdef qwe qweasd asd asdf zxc qaz qazwsx`.split(/\s+/),
);
