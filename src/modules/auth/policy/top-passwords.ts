/**
 * The 5000 passwords of at least eight characters that stand first in the frequency list of zxcvbn 4.4.2 (MIT, see NOTICE), which
 * ranks passwords by how often they occur in breaches (OWASP ASVS 6.2.4 asks for 3,000). In lower case, sorted, each as the
 * number of characters it shares with the one before (base 36) and the rest.
 */
const frontCoded = `
  0!qaz2wsx 0%%passwo 00.0.0.000 1000000000o 396462 27james 11011900 610 650 660 71 670 71 72 73 74 75 76 77 78 79
  680 71 72 73 74 75 76 77 78 79 690 71 72 73 74 75 79 42000 71 610 71 320304 805 a06 41990 331985 78 79 341985 78
  361986 690 371986 381989 391987 79 2121986 78 23cpfza 2478520 596325 292837465 12011971 75 680 71 72 73 74 75 76
  77 78 79 321971 73 76 79 681 72 73 74 75 76 77 78 79 690 331970 73 74 75 77 78 79 680 71 72 74 75 76 77 78 79
  341972 73 74 75 76 77 78 79 680 71 72 73 74 75 76 77 78 79 351970 72 73 75 76 77 78 680 71 72 73 74 75 76 77 78
  79 361971 72 74 76 77 680 72 73 74 75 76 77 78 79 371971 75 76 78 79 680 71 72 73 74 76 77 78 79 381970 73 74 76
  77 680 72 73 74 75 76 77 78 79 391971 73 75 76 77 680 71 73 74 75 76 77 79 2101973 76 77 79 681 73 74 75 76 77
  78 79 13031986 341986 691 382006 14041988 691 15051985 77 79 16061986 23dyjuy 17071977 687 391990 2831505
  18031985 76 351990 381988 2121986 354711 2522580 3tzzqi 19051945 287654321q 1o9i8u7y 010011986 690 3200300
  331988 351987 371987 2101986 690 2203040 850 a60 393847 856 2inches 11001001 351987 690 361985 381989 2111111
  811zz 6aa 522222 42222 4aaaa 4qqqq 321314 815 5986 42233 83 222112211 43344 855 a66 8q 335813 821 2924704
  2c645df 2qq22ww 12011987 321988 331985 77 351988 2121985 690 331415 816 223334444 5445 2312312 83a 9q 6321 645
  6qwe 9qwe 32323q 332112 83 6456 6qwe 340987 44321 8q 4509876 5123 5432 81 554321 5612 83 654321 6654321 76 671
  77 78 89 90 a0 b987654321 aa aq bw as az 91 a0 a2 b3 99 a87654321 9a abc 9b 9d 9f 9g 9k 9l 9m 9n 9o 9p 9q aaz
  aqq awe crty 9r 9s 9t 9v 9w 9x 9z 8a 8c 8q 8z 79 7a 8a 7d 7q 7u 7z 687 79 6987 6aa 7b 8c 7s 8d 6qaz 7q 8q 7w 8e
  9rty 6ru 6zxc 59876 5abc 6sd 5qaz 6we 8r 9t ay 5trewq 5zxcvb 47890 48765 49876 4abcd 5sdf 4kekc 4qwer 8asdf 8t
  9y 4rewq 5mvb 4zxcv 3581321 365478 89 49874 81 85 3789456 3asd123 3hfjdk147 3masha 4udar 3qaz123 4q123 4we123
  6321 6456 9rty 6as 8d 9zxc 6rt 8y 24578963 2e3e456 2locked 2monkey 2qw12qw 434er 4aszx 4erty 2s3t4p55 13021990
  331987 341987 78 361986 2121985 2243546 45768 465798 24679258 6852 2572468 46479 4908642 511q 5246 88 90 57531
  58642 597531 14021985 76 361991 2111986 2725836 89 385236 89 49632 81 85 2881488 15011987 321985 351981 690
  2101986 3nxjmt 2426378 3ugeiu 29753123 6258 6456 6852 387532 81 16051987 79 2121987 17011987 351988 361988
  2171717aa 18011987 361990 391985 2121812 2273645 2436572 2821221 19061987 2101987 2283746 85 2391945 2411945
  272chev 2844891 377891 2922991 333991 1a2a3a4a 85a 3b3c4d 85e 3s3d4f 85g 2sshole 1basebal 2igdick 1charlie
  1diamond 1footbal 2uckyou 1hxboqg2 1jennife 1letmein 1michael 3llion 2ustang 1pass1page 5wor 8d 3trick 1q2q3q4q
  85q 3w3e4r 85 9t a6y 2a2ws3e 8d 3y2wsx 3z!qaz 42wsx 83edc c4rfv 4xsw2 83edc 4zaq1 2w23er4 3ertyu 1scooter
  2exyred 2uperma 1thunder 1william 1x2zkg8w 1z2x3c4v 85b 020031987 351988 361988 391988 691 2111986 3jedlz
  2spanks 11011989 331987 78 690 351988 691 2101986 325150 4rush 12011988 321986 79 331984 341987 78 361941 371986
  2334455 2446688 13021986 341987 49307 2176djivanfros 2skidoo 14011985 361986 2111989 23462536 2681012 53579
  15031987 341988 381988 391987 2121987 2251325 2800852 42580 16031988 361987 17061988 2731828 18011987 321990 72
  341987 19011985 351989 371983 1sexy2ho 1w3e4r5t 2sx1qaz 43edc 4cde3 4zaq1 030031988 341986 351985 11011987
  2415926 85 94 121456987 365498 87 4732167 26159487 133666999 25533aa 2rjhjds 14523452 168ejhih 29258147 3852147
  180zliki 23pdjvl 1edc4rfv 4vfr4 1rjs1la7qe 1stooges 2yqo15hil 042042042 13046721 2211234 14332211 2445555
  2magnum 156123789 3789123 2m2do5bs 18151623 842 alost 1904s677075 2527843 1r3e2w1q 2fv3edc 45tgb 1z34l0ts
  050spanks 11051051051 141233432442 332442 151scasi 24uzpad 2556666 3666777 2832811 2bgates 1hsu75kpot 1tgb6yhn
  1wr2i7h8 062717315 16613666 17camaro 18camaro 19213124 2camaro 073501505 14108520 323698 458963 385296 83
  2227422 28159263 1777777a 3888999 3angel 189123456 345612 83 90 363214 85 454123 2n3s5af 1hrdnw23 1ugd5hip2j
  0808state 190098890 315173454 2231243658s 2600506779 1j4ye3uz 1phrowz622 94 0911turbo 28273645 1293709b13
  163258741 385274 81 187412365 45632 81 3654321a 9q 29244342a 19762000 2887766 29111999q 0a1234567 88 99 7a
  2a2a3a4 8a5 2b2c3d4 8e5 2s2d3f4 8g5 17777777 1987654321 1a123456 2aa1111 4aaa1 2rdvark 3on123 2ssddff 1bc12345
  86 3d1234 4e123 5f123 6g1 2erdeen 2igail1 2normal 2racada 8bra 4kadabra 2ulafia 1capulco 2cess12 74 699 6no
  3ount1 2erview 3shigh 2hilles 2idburn 4rain 2un3t1x 1delphia 2gjmptw 2min123 68533362 2renali 8n 2ventur
  1erosmit 8h 1frodita 1gent007 2nieszka 1irborne 3edale 3force 81 3plane 1katsuki 1labama1 3stair 2batros 2catraz
  2ejandr 3ksander 8r 9a 3ssand 8ro 3x1234 42000 4ande 8r1 7r 8e 8u 4sandr 2farome 8o 2gernon 2hambra 2icante
  3gator 3nochka 2kaline 2lalone 3black 3eycat 3igato 8r 4son1 3night 3stars 6te 2oysius 2pacino 3ha123 5bet 5man
  5one 2skdjfhg 2terego 1manda12 78 669 3rillo 3teurs 4uers 2ber123 3rosia 3ulanc 2erica1 3thyst 2oremio 2sterda
  8m 1nabolic 3conda 3konda 3stasi 8ya 3toliy 2dre123 5as1 5eva 5w12 4omed 8a 3yod22 2gel123 5666 5777 5eye 5ito
  5ofwar 2hyeuem 2na1987 42614 4mari 3emari 2onymou 3ther1 2teater 4lope 3hony1 72 77 3igone 4virus 3on123 5ell
  5io1 6us 4shka 2uradha 1olsucks 1pollo11 73 2ple123 5pie 1q1sw2de3 2swdefr 2uafina 4lung 4rius 1rabella 3chnid
  3gorn1 2cangel 3hange 8l 4itec 3turus 2gentin 3onaut 2hangel 2izona1 2madill 4geddon 7on 3stron 2rowhea 2schloch
  3ehole 4nal1 7f 8c 2t131313 3ofwar 1s123456 2d12345 86 6asd 3asd123 6as 3f1234 4asdf 4fdsa 4g123 845 5h01 612 83
  6jk 8l 91 a23 4jkl; 4qwer 4zxcv 3qwe123 2fnhg66 2hley12 2modeus 2pirine 2sa1234 4ssin 8s 3clown 3hole1 7s 3lover
  3maste 4unch 2talavista 3erios 6x1 3onvil 8la 3roboy 1tlanta1 6ida 7s 2reides 1ugustin 2relius 2stin12 631 86
  4rali 2tobahn 4pass 1valanch 8e 3ngard 2enger1 1wesome1 1zathoth 2erty123 6ui 8op 2sxdcfv 8gb 0babemagn 8et
  4ruth 3ushka 3ybear 5lue 4cake 8s 4doll 4face 4girl 81 5url 4lon5 6ve 2ckbone 4door 4lash 4spac 2dabing 3girls
  3karma 4itty 3lands 3naamhere 2gpipes 2jingan 2ldrick 3loons 4sack 3timor 2nderas 2phomet 2racuda 4kuda 3bados
  5ra1 6ia 8n 3celon 8a 3eback 4feet 5oot 3itone 3kley1 3racud 8a 3selona 3tende 2seba11 6l1 7l 81 3ketba 8l
  3sfish 4line 3tard1 2tman01 612 669 699 3terse 2yliner 3watch 1bbbbbb1 1cfields 1eachbum 3rcats 4share 3tles1
  3utifu 2ckham7 2efcake 3thove 2hemoth 2lla123 5gio 4evue 3ochka 2ndover 3edikt 4ssere 3nett1 3tley1 2rgkamp
  3liner 3nard1 4hard 3serke 8r 2siktas 3tfriend 3zoptad 2thany1 3tyboo 8p 1igballs 4lack 5ock 4oobs 6ty 4ucks
  5tts 3cocks 3daddy 4ick1 7s 3foot1 3gdogg 4irls 3money 3nasty 3penis 4impi 8n 4oppa 4ussy 3stick 3tits1 4ruck
  4ymer 3willy 2llabon 8g 4iard 4y123 5bob 7y 5joe 2nladen 2ohazard 3nicle 2rthday1 821 84 2scuit1 3exual 3marck
  4illa 8h 2tch123 5ass 3eme69 1lablabl 3ck123 5ass 5bea 7l 8t 7r 8ry 6ir 8d 6ox 7y 5cat 6oc 8k 5dog 5haw 8k 6ol
  5ice 6e1 5jac 8k 5lab 5ops 6ut 5rose 5she 6ta 6un 5top 3derun 8ner 3hblah 3ster1 5off 2essed1 5ing 2ingbling
  4k182 3zzard 2ondie1 6nka 3opers 3wfish 4jobs 4me69 2ue1234 4army 4ball 5ear 6ll 6rr 5ird 4devi 4eyes 4fish
  4gill 5ras 4jays 4line 4moon 4nose 6te 4rose 4sman 5tar 1obafett 3by123 3dylan 3marle 8y 2cephus 2dyshop 2eing74
  2llocks 2ndage1 5renko 3efish 4head 4thug 3ghits 2ogaloo 3kcase 4mark 4worm 3mboom 3ndock 3tneck 2rabora 3deaux
  3is123 3ussia 2scoe01 3stone 1r00klyn 2adley1 3ndon1 72 3silia 3vehea 8rt 3zzers 2eakers 3ndan1 4tfor 3tagne
  4hart 2ian123 5na1 3dget1 3ghton 3tney1 7s 2oncos1 77 3odwar 4klyn 3ther1 3wndog 5eye 2ucelee 3no123 1ubba123
  5dog 4legu 8m 6s1 2ckeye1 7s 4fast 4shot 5ter 4whea 8t 2dapest 3dy123 5boy 5dog 3light 3weise 8r 2ffalo1 7s
  2gsbunn 8y 2kowski 2lldawg 5og1 72 7g 7s 4frog 4head 4ride 4seye 5hit 4wink 2mblebe 2ngalow 4hole 2ratino
  2sinessbabe 3tanut 4er01 611 72 2ttercu 8p 6fl 8y 4fuck 4head 5ole 4munc 4ocks 5ns1 4plug 1ynthytn 0c3por2d2
  1ab4ma99 3aller 3ernet 3leguy 3owabo 2chondo 5rro 2dillac 3r14nu 2itlin1 2lamity 4vera 3iente 4forn 4gula 4mero
  3listo 4ofduty 2maro69 6ss 6z2 3biami 4ridg 3elot1 5toe 4ron1 2nadien 3dy123 5ass 5can 5man 3nabis 4ibal 4onda
  3tona7 2petown 3ital1 7s 3oeira 3ricor 8n 3slock 3tain1 2rdinal 3e1839 4bear 4free 3litos 3nival 3olcox 5ina
  3pedie 8m 5nte 3thage 4man1 4oons 2sablan 8ca 4nova 3ey123 5dog 3hflow 4mone 8y 3sandr 3taway 2tdaddy 3erham
  3fight 5sh1 3herin 3lover 3woman 2valier 1br600rr 3900rr 1dtnjxrf 4kfyf 2znjckfd 1elestia 3lphon 3ticfc 6s1
  2ntauri 4rino 4urion 2rberus 2zer121 1fitymrf 1hainsaw 3lleng 3monix 4pagn 5ion 3ngeit 6me 3racte 4ger1 7s 4isma
  4les1 72 5ie1 823 72 73 75 76 77 79 7s 5ott 5ton 4med1 2eckers 5mat 3erios 5leaers 4se12 3lsea1 72 7fc 3mistr
  3rokee 4ries 3shire 4sman 4ter1 72 3velle 4role 8t 4y454 5man 5s10 5z71 3wbacc 8a 3yanne 4enne 2gobndg 2icago1
  72 4ken1 72 7s 7wing101 3lidog 4lout 3maera 3nacat 5man 3pmunk 4per1 2oclate 4olat 8e1 3ochoo 3pper1 7s 2ris123
  5bln 5sie 6y1 5tia 7n 6ma 6of 7p 8he 7s 6y1 3ysler 2uckles 3rchil 1idkid86 2ngular 3namon 2tibank 2vilwar
  1jkysirj 2rjkjdf 1larinet 3ssic1 7s 3udia1 3ymore 2emson1 3opatr 3velan 2inton1 3ppers 3tlick 4oris 2ose-up
  1nfybckfd 2hjbntkm 3trjpf 2jvfnjkju 1obblers 3ra427 5jet 2cacola 3ksuck 8er 3oloco 2deblue 2ldbeer 4fire 4play
  3lecti 5en1 5ge1 3ombia 4rado 4ssus 3t1911 4rane 2manche 3bat123654 3cast1 3icbook 9db 3mande 7o 4odor 3paq12
  4utador 6er 81 2ncorde 4rete 3nect1 3sumer 3tortionist 4rol1 2okie12 6s1 3lbean 4dude 4girl 4hand 4ness 3rslig
  2penhag 2rleone 3nbrea 4hole 7i 3tland 3vet07 6te 2staric 8a 3worth 2untach 5erstrike 5ry1 5yli 3rtney1 2ventry
  2wboys1 6up 1racker1 5hea 5sevi 3nberr 3zy123 5bab 5man 5zil 2eampie 4tine 6ve 3epers 3scent 2icket1 3mson1
  3ppler 3stiano 3tters 2jhgbjy 2ocodil 3wnvic 2usader 3zazul 2ystal1 1tdfcnjgjkm 2huttdbx 7yf 1ucumber 2ddles1
  2linary 2meater 2ntlick 4soup 2pcake1 2tegirl 3iepie 1vbhyjdf 2tifhbrb 2zefh1gkc 1xfcnkbdfz 5mttcnm 1yberonline
  5sex 2clones 2gnusx1 2nthia1 0d1i2m3a4 2lakiss 1ad2ownu 3dy123 2edalus 2ffodil 2gestan 3obert 2isy123 5dog 5mae
  2llas22 6tx 2mage11 2ngerou 3iel12 83 6a1 6it 4l8098 3nyboy 3thema 8n 2pzu455 2redevi 8l 3kange 8l 4jedi 4knight
  4lord 4moon 4ness 4side 5tar 4wing 5olf 3thmau 5vad 8er 2sha123 5dasha 2talife 5ore 2vecole 3id123 5off 2ydream
  1bjktnnf 2rnjhbz 6jdbx 1dddddd1 1eadhead 4lift 4meat 4pool 4spin 3th123 5666 5note 5row 5sta 2borah1 2epblue
  4thro 8at 3rhunt 8er 3znuts 7z 2fender 3iant1 3tones 2lorean 3piero 2mon666 2nis123 2pechemode 2rparol 3rick1
  2signer 3perad 8o 3tiny1 4roye 2tectiv 3roit1 2utschland 2vil666 5dog 6river 5man 7ycry b4 1fcbkbcf 5mtd 2ktynby
  8f 1gl70460 1hjnvytyjub 1iamante 4ond1 7s 2ciembr 3kface 4head 4less 4weed 2etcoke 2gital1 4view 2lbert1 3ligaf
  4weed 2ma1995 76 3ensio 2ngdong 3osaur 2ogenes 3sesamo 2pstick 2rewolf 3tbike 4yboy 5dog 2scover 3turbe 2xiedog
  1jgabbab 1kflbckfd 5vbh 8jdbx ayf 1oberman 2dgeram 6s1 2gbreat 3fight 3gydog 5sty 8le 3house 3pound 2lemite
  3ittle 3lface 3omite 3phin1 72 7s 2ma77ns 4inlock2005 3enico 3inator 5ic1 6ka 6on 6qu 2nt4get 4know 2omsday
  3rknob 2raemon 3tmund 2thedew 2ughboy 4las1 2wnhill 1ragon01 610 71 72 83 73 621 72 73 666 79 676 688 699 6ba
  8ll az 6fl 8y 6s1 4race 4ster 2eamcas 8t 5er1 7s 2jynfrnt 2opdead 4kick 3wssap 2pepper 2umline 4mer1 7s 1thjybrf
  3yjcnm 2kjcbgtl 2xyjcnm 1ucati99 3khunt 4ling 4soup 2ffbeer 2racell 4ngo1 2stydog 2tchess 5man 1ynamite 4star
  1zxtckfd 0eagle123 5eye 5one 2rnhard 3thlin 8k 2stside 4wood 2tmenow 5raw 3pussy 1clipse1 1delweis 2gewise
  2inburg 2ward12 6ss 1fbcapa201 1ggplant 1ightbal 8l 2nstein 3trach 1jaculation 1katerina 1laine22 2bereth
  2camino 2diablo 3orado 2ectric 6on 3ment1 7a 3phant 3ven11 2fquest 2isabet 3zabet 8h1 5veta 2vira26 4s123
  1machine 8s 3nuele 2balmer 2erald1 2mitt22 2yeuanh 1nergize 2forcer 2gineer 3land1 2ter123 5now 5pri 8se 2vision
  1paulson 2iphone 1rection 2icsson 1scalade 3orpio 2peranz 3resso 2sendon 1ternity 2hernet 1uphoria 1vanescence
  4geli 8on 2enflow 3rgree 4last 4ques 8t 4ton1 2geniya 2ildead 2olutio 1xcalibu 8r 3ellen 2ploite 5rer 3ress1
  2treme1 1yecandy 0f00tball 115eagle 1abienne 3regas 2cefuck 2ilsafe 3rlane 4mont 4view 2kepass 2lcon16 6s1
  3lout2 3staff 2ndango 3tasia 6ti 6y1 4omas 2rscape 4ide1 3tripper 2stback 6ll 4cars 4lane 2tluvr69 3pussy
  2vorite2 85 86 87 88 1cbayern 1earless 3thers 2derica 3orova 2elgood 2llatio 4owes 2rdinan 3rari1 72 73 2yenoord
  1ffffff1 2vdj474 1gjrfkbgcbc 2tkmcby 1hntv1998 2vfutljy 1idelity 2ghtclu 8b 2nalfan 8tasy 2reball 5ird 5lad 8e
  4figh 8ter 4hawk 4man1 4star 6or 8m 4truc 4wall 5ork 2shbone 4cake 4erma 8n 4face 5ood 4head 4ing1 4tank 3tfuck
  2vestar 1kbyjxrf 2mnthyfnbdf 2trcfylh 9f 9jdbx byf 3yeirf 4jxrf 1lamengo 4ingo 3pjack 3shman 3thead 4line
  2exible 2htyfkby 2intsto 3pflop 4mode 4per1 4side 2orida1 3under 3wers1 2vbybcnhfnjh 2yers88 1nkfynblf 1ollowme
  2otbal1 7l 81 4long 6ve 2rdf150 5250 5350 4truc 3eplay 4skin 5t11 4ver1 3getit 4otte 3klift 3mula1 3saken
  3tune12 4ytwo 2ucault 2xhound 3trot1 3ylady 1rancesc 5is1 7c 4k123 5fur 5ie1 2dfhbev 2eckles 3d1234 4derf 5ie1
  4erik 3e4all 4bird 4dom1 72 73 77 4fall 4lanc 5ove 4man1 4pass 5orn 4ride 4styl 4time 4user 4will 3iheit 3nchie
  2iday13 3ends1 7te 9r 2oggies 3nt242 5era 5ier 2uitbat 1uck_inside 4edup 5r11 669 4face 5est 4head 4inside 4love
  4me69 6ha 8rd 6now 4off1 4shit 5lut 4that 6is 4yeah 5ou1 823 72 77 2jifilm 2llback 4moon 4sail 2nhouse 3nyman
  3stuff 3times 2ssball 2turama 3yn007 2zzball 1yfcnfcbz 3njkbq 2lhtqrf 2njybyf 2utkbyf 5jxtr 0gabriel1 72 7l
  2lactic 6us 4driel 4tasaray 3eries 3laghe 5ries 2mecock 5ube 4over 4time 2ndalf1 72 3gbang 8ed 4sta1 6er 3jaman
  4ubas 3nibal 3ymede 2rdenia 3field 3gamel 4oyle 3rett1 2teway1 72 7s 3orade 1bgbcmrf 2hfvblf 2lfhfcs 2packer
  1earhead 2ibcnbr 2mstone 2neral1 4sis1 4viev 2orge01 612 5ia1 2raldin 3many1 3onimo 2sperrt 2talife 3money
  3sdown 4mart 1fccdjhl 2gfvfvf 2hfljrc 3jkm12 83 6gfhjkm 6xbr 5zytn 3kfvtyn 3nbpfy 1hbdtn12 83 6br 81 8b 6dctv
  6ghbdtn 6rfrltkf 3lehjr 6rb 3rjkbcn 6myj 3ywtccf 2hh47hj7649 2jcnbnenrf 5j123 6gfhjkm 7hjcnj 6nfr 6rdfibyj
  3dthrf 3njnbg 5rjk 3uhfvvf 3vtntq 2ostdog 5man 5rid 8er 2tktcnm 3pbltyn 1ianluca 2bsonsg 2gabyte 2nger12 3scoot
  3uwine 2rfriend 2veitup 2zmo123 5do1 1jhjctyjr 2kbyjxrf 1ladiato 8r 2endale 4nwei 4wood 1n56gn56 2asher23
  1obigred 3rowns 2dbless 3dess1 3fathe 8r 3isgood 5love 3ofwar 3slove 4mack 4peed 3zilla 2gators 2lakers 3deney
  8e 4fing 8er 6sh 4mine 4rush 4star 4wing 3fball 4club 4er23 4ing1 2nefish 2od12345 7654 4fell 8as 5ood 4girl
  4head 4ison 4life 5uck 4news 4stuf 4time 8s 5ogo 4year 3fball 3gle12 83 3seman 2rdon24 3illaz 2tigers 3ohell
  3yoass 1randpri 8x 3peape 3sshop 3ywolf 2eatone 5sex 3edisgood 4n123 5bay 6ud 5day 5eye 5man 5tea 5woo 3gory1
  3mlins 3ndel1 3yhoun 4wolf 2iffin1 3mlock 3zzly1 2oupd2013 1sxr1000 5100 1tfullam 2kmvtyb 7m 2nhjdbx 2xtymrf
  1uardian 3temal 2derian 2esswho 2illaum 5erm 3nness 3tarra 2lliver 2nsling 4moke 1y3yt2rgls 2mnastic 1znybwf13
  0hairball 2kkinen 2lflife 82 4moon 4pint 3lo123 5wee 2mburge 3marby 4erhe 6s1 3radio 3ster1 2ndball 4cuff 4yman
  3nibal 4over 3solo1 2ppines 4y123 5boy 5day 8s 6og 5man 5one 2rdball 4cock 6re 81 4dick 4head 4rock 4time 4wood
  6rk 3ley01 612 3ry123 5pot 8ter 2tteras 4rick 2waii50 6an 3keye1 7s 4moon 4wind 3thorn 2yabusa 2zelnut
  1d764nw5d7e1vb1 1eadless 4shot 3ther1 72 7s 2dgehog 2ineken 4lein 2licopt 3lbent 4fire 4o123 5hel 5kit 8ty 5moto
  5the 8re 5world 5you 4rais 8er 4sing 5pawn 4yeah 3pdesk 2micuda 2nderso 4rix1 2rcules 3ewego 3mione 3nande
  3shey1 2tfield 2ythere 1fgcjlbz 1hhhhhh1 1ibernia 2ghbury 4heel 4land 8er 5ife 2hje863 2lfiger 3lbill 4side
  2story1 2tman47 1jvfyjdf 1obiecat 2ckey12 699 2gwarts 2leinon 3iday1 3lydog 5woo 3yshit 2mebase 5rew 4made 4page
  4r123 5sim 2ndacbr 6ivic 6rx 3eybee 6un 5dew 5pot 3gkong 3olulu 2oligan 3pstar 6er 3siers 3ters1 2pefull 3kins1
  2rnyboy 5guy 5man 3seman 6en 5sho 2sehead 2t2trot 3babes 3chick 3girls 3pants 4ussy 3sauce 4tuff 3wheel 2unddog
  3se123 5wife 9s 4ton1 1rvatska 1tubcnhfwbz 1ugecock 4tits 3oboss 2lkster 2nter01 611 72 83 4ing1 2rrican 2skers1
  4ies1 1yperion 1zze929b 0ibill123 5jpf 5tes 1cecream 3house 3man69 1ddqdidkfa 2ontkno 8w 1gnatius 1hateyou
  1jrjkflrf 1kilz083 1likepie 5sex 2lmatic 3umina 4sion 2oveamy 5god 5her 6im 5jen 5kim 5mom 6yself 5por 8n 6ussy
  5sex 5you 8! 81 82 2uvporn 2ya1234 5992 1missyou 2mortal 2palass 3erator 5ium 3lants 2theman 1ncognito 2dahous
  3epend 3ia123 5na1 7li 6s1 2ferno1 3initi 7y 3lames 2sertion 9s 3omnia 3pecto 4iron 2tegra1 4racial 5course 5nat
  6et 81 3heass 3ranet 4epid 4uder 2uyasha 2victus 1qzzt580 1reland1 2ishman 2onhead 5ors 4maid 8en 6n1 4pony
  4tree 1sacs155 2eedeadpeople 2hikawa 2kander 2lander 2tanbul 3heman 1taliano 1verson3 1wantsex 5you 1zabella
  0j3qq4h7h2v 1ack1234 4ass1 4dani 4son1 72 75 3queli 2dakiss 2ilbait 5ird 2kester 2maica1 3es007 5123 5bon 8d
  9007 5on1 3ie123 5lee 2nuary1 2panees 2smine1 3on123 2yhawks 1bond007 1ediknig 8ht 4mast 2epster 2fferso 4rey1
  2llybea 8n 5fis 2moeder 2nnife1 7r1 2richo1 3onimo 3rylee 2ssica0 71 72 3ucrist 4s123 5777 5christ 1g3h4hfn
  1iggaman 2mmy123 2ujitsu 1jjjjjj1 1ledfyxbr 1ohanna1 6es 3n1234 4cena 4deer 8e 4galt 4mish 4paul 4son1 2ker123
  2nathan1 2rdan12 623 2seluis 4phin 3hua12 2ystick 1uancarlo 2nkmail 4yard 2piter1 72 2rassic 2st4fun 5you 4doit
  4ice1 5n12 6bieber 2ventus 0kakaroto 4shka 2masutra 3ehame 8ha 3ikadze 6ze 2ngaroo 2raganda 4melka 3olina
  2sparov 2tarina 3erina 3harin 3ie123 3rina1 2wasaki 2zanova 5tip 1cchiefs 2j9wx5n 1elly001 5123 2nnedy1 5th1
  4wort 3worth 2vin123 2yboard 3stone 1fcnjxrf 2vgjxrf 1ickflip 4sass 2kimora 2llbill 4emall 5r12 83 4zone 2mberle
  2ngfish 4kong 4rich 4size 5ton 2rill123 2ssmyas 8s 2tty123 5cat 5kat 1jrjvjnbd 1leopatra 2imenko 3ngon1 2ondike
  3otzak 1nickerless 7s 2ockers 3wledg 2uckles 1ochamcie 5nie 2daira52 2kakola 2mputer 2nfetka 3stantin 2rdell1
  3oleva 2valenko 1rasnodar 4otka 2isten1 5in1 7ka 5jan 2okodil 1ukuruza 4shka 2leshov 2rosaki 2sanagi 0l58jkdjp!
  18g3bkde 1abrador 2crimosa 4osse 2dybird 5ug1 4gaga 2etitia 2gwagon 2keland 4rs24 632 4side 4wood 2lakers 4land
  2mbchop 4orghini 2ncaste 4elot 3drove 8r 4scap 2pdance 3ochka 2racrof 8t 3ry123 2serjet 3tochka 4time 3vegas
  2valamp 1bfyjxrf 2htrnjh 1eavemealone 2bedeva 3owski 3ron23 2dzeppelin 2edsutd 2ft4dead 2glover 3oland 2iceste
  2mmings 3onade 2nochka 2onard1 4idas 2sbians 2titrid 3mein1 72 82 76 77 7n 8ow 5see 3sdoit 4fuck 4play 2viatha
  2xingky 6to 1fitymrf 1ibertad 6y1 2corice 2fehack 4isgood 4suck 2ghthou 5nin 8g 5sab 2lwayne 2mabean 4peru
  3ewire 3pbizkit 2ncoln1 3dsay1 5ey1 3eage2 2onhear 8t 4king 2ttlebi 6ma 8n 6on 2velife 4rpoo 8l 91 5une 4wire
  2zaveta 1jxtymrf 1ochness 3kdown 4erroom 3oman0 2gitech 3latin 2komotiv 2l12345 3lipop 4ypop 2ndon12 622 3esome
  5tar 4wolf 3gbeac 4dick 5ong 4hair 5orn 8s 4john 4legs 4shot 4wood 3sdale 2okatme 2redana 2sangel 8es
  3t4815162342 4soul 2tus123 2ve1234 44ever 4bird 5oat 4craf 4feet 4girl 4hate 4life 4me89 4porn 5ussy 4rboy 5man
  4sexy 4tits 4you1 72 2wrider 1sutiger 1thgfhjkm 1ucas123 3ifer1 3ky123 5777 5boy 5dog 5man 5one 2dacris 2nchbox
  2scious 2v2epus 1yudmila 1zbs2twz 0m1234567 16cjy69u35 1acarena 5oni 3daddy 3gyver 3hine1 4oman 3intos 8h 3kenzi
  2dagaskar 4la11 3dison 3house 3ison1 3onna1 2gellan 3gie11 3ic123 5ian 5man 4ster 3navox 2halkit 8a
  2ilcreated5240 2jestic 2karova 4veli 3eitso 4love 4mone 8y 3simka 2lamute 3colm1 3ishka 3lorca 4rats 2ma1234
  4cita 4papa 4sita 3mamia 3ochka 2nager1 3chest 8e 9r 3darin 4ingo 4olin 4rake 3hatta 3nheim 3unite 8d 3whore
  2pet123456 3lelea 2radona 4jade 4thon 4uder 3bella 3cello 4ius2 4opol 3garit 4osha 3ia123 4gold 4juan 8a 4llio
  4ners 6s1 5o13 4posa 4shka 5sa1 3k1234 4etin 3lboro 3seill 8e 3tin12 6a1 6i1 3yjane 2sahiro 4mune 3erati 3h4077
  3ter01 611 72 83 622 699 6baiting 8te 9ing 6ch 6key 6lo 6mi 8nd 4urbation 3yanya 2tchbox 3ematika 3thew1 72 77
  5ias 4ingl 2urizio 4olarastefy 2verick 81 8s 2ximilian 5us1 3payne 4ower 3well1 2zafaka 3da323 5626 5rx7 78
  3inger 1cdonalds 1eandyou 3tball 4head 4loaf 2chanic 2dicina 2gabyte 4deth 4manx 4pass 4tron 2lanie1 3bourn
  3issa1 72 2mphis1 3yself 2owmeow 2phisto 2rcedes 4ury1 3idian 3sedes 2tal666 5gear 5ica 5lic 8a 91 5man 3hodman
  3ropol 2xicano 1ichael0 71 72 73 74 75 76 77 78 79 7j 4ele1 6in 6le1 4igan 3keymouse 3rolab 5phone 5sof 8t
  2dnight 2ke1234 4y123 2lamber 4shka 3enium 3house 3kbone 4yway 3leniu 8m 5rli 4ion1 4wall 3wauke 2ne2306 4craft
  3idisc 4moni 3nesot 3otaur 2randa1 3onova 4slav 2schief 3fit99 3iaczek 3sissi 4kitt 3tress 4y123 2ttens1
  1nbvcxz1 1obbdeep 3ydick 2delsne 2jojojo 2lly123 5dog 2m4u4mm 3sanaladventure 2nalisa 3ey123 5bag 5maker 7n
  3goose 3ique1 3key10 71 72 83 73 669 677 699 6bo 8y 6ma 8n 3olith 4poly 3ster1 72 3tagne 5na1 4ecar 8lo 5rey
  4gom240 4real 5ose 4y123 2onbeam 4ligh 8t 4shin 8e 5tar 3seman 2remone 3kovka 3ozova 3pheus 3rigan 5sse 4owind
  3tgage 4icia 5mer 2stwanted 2tdepasse 3herfu 6lode 3ocros 8s 4rcyc 5ola 2unta1n 6in 3sepad 1rbrownx 8x 1uaythai
  2dvayne 2enchen 2ffdive 2lberry 3tiplelo 5syn 8c 2nchkin 2rzilka 2shroom 3ic123 5man 3tang0 71 72 73 75 76 77 78
  79 7g 7s 1wq6qlzo 1yfamily 3riend 2mother 2nameis 2passwo 8rd 2secret 3pace1 3terio 2xworld 0nadezhda 2ncy123
  2ruto12 83 2scar24 688 3hvill 3tenka 4yboy 2talie1 6ya 4scha 5ha1 6ka 3edogg 3hanie 2ughty1 3tilus 2vigato 8r
  3yseal 2zareth 1buhtyjr 1cc1701a 7d 7e 374656 1ebraska 2edforspeed 2mesis1 3rac58 2tscape 3work1 3zwerk
  2veragain 5min 8d 6or 8e 2wcastl 3life1 3order 3pass1 76 4ort1 7s 4roject2004 3start 5yle 3world 3york1 1icetits
  3holas1 3k1234 2etzsch 2ghthaw 5mar 5owl 5win 7sh 2kita123 5ina 3olaev 8a 6us 2neball 4inch 3tendo 2rvana1
  1jdevils 1ochance 3turne 2kia123 53250 6310 55130 6230 6300 710 6530 6800 56233 6300 83 57610 58800 5n70 73 695
  2limit8 79 7s 2name123 3membe 3rev67 2password 2rmandy 3thsta 2sferat 8u 3tromo 2tagain 3e1234 4book 3hing1
  3redam 8e 2unours 2vartis 3ifarm 4kova 1thvbyfnjh 2ktdbpjh 1umbnuts 2ttertools 1wo4life 1ygiants 2knicks 2yankee
  0oblivion 2sidian 1c247ngucz 2eans11 2tavian 3ober1 72 1dysseus 1ffsprin 1hiostat 8e 1ldschool 4mobi 2iveoil
  5tti 1mega123 5red 2sairam 1nelove1 3piece 1pen1234 4door 4sesa 8me 3rator 2timist 4plex 1range12 644 677
  2iflame 2lando1 1scar123 1utsider 1verkill 4lord 1zlq6qwm 0p0015123 2o9i8u7 1455w0rd 2ssw0rd 1@ssw0rd 1a55w0rd
  5ord 2cific1 7a 3kard1 4ers1 74 2inkiller 4tbal 8l 2kistan 2ladin1 3lmall 3metto 4tree 3oalto 2nasoni 8c 3chito
  3dora1 3orama 3tera1 4her1 7s 4ies1 4yhos 8e 2pabear 4mama 3erboy 5cli 6ut 5ino 3ichul 4llon 2rabola 4digm 6se
  4medi 8c 5ore 3lament 3olparol 3sifal 3tizan 2sadena 3s1234 5word 4code 4find 4ion1 7s 4mast 8er 4port 4thie
  4w0rd 5erd 5or1 7d 80 91 81 91 92 a3 b4 82 83 84 85 86 99 87 89 99 8s 7t 2tches1 3hfind 8er 3ricio 6k1 72 77 78
  79 5ot1 7s 5zia 3terso 2ulchen 2vement 3ilion 2yton34 1eaceout 4hes1 72 3rljam 2bbles1 2digree 2ekaboo 2gasus1
  2ndrago 8n 3etrating 9on 3guin1 7s 3nstat 8e 4ywis 8e 3thous 4ium1 74 2pper12 3si123 5col 8a 5max 5one 2regrin
  3fect1 7o 3icles 3nille 3shing 3tinant 3vasive 4ert1 2scator 2ter123 5bil 8t 5north 5ose 5pan 3rovich 1fchfytw
  1haedrus 3ntasm 5om1 7s 3rmacy 2easant 2ialpha 3lippe 4lies 6p1 2oenix1 72 3toman 2ydeaux 1i314159 2anoman
  3zza31 2casso1 3kles1 3tuers 2ercing 2kachu1 2mpdadd 8y 4ster 2neappl 8e 4cone 4tree 4wood 3gpong 3kfloy 8d
  3nacle 2oneer1 2peline 3pen33 2ramida 7e 2tchers 3tbull 4sbur 2zza123 5hut 5man 5pie 1lastic1 7s 3tinum 4ypus
  3yball 5oy1 72 7s 4er69 4girl 4mate 4stat 8ion 4time 2easeme 2okijuh 2ymouth 1oiu0987 4ytrewq 2kemon1 82 93
  2larbea 5is1 5oid 3ice22 3niypizdec0211 2ntiac1 2ohbear 3l6123 3ntang 3phead 2pcorn1 2rkchop 3n4life 4king
  4ographic 4pass 4site 5tar 3sche1 79 811 3tland 4ugal 2seidon 3itivo 3tov10 800 2wer123 5ade 5boo 5mac 7n
  1pspankp 1rashant 2eacher 3cious 81 3dator 3lude1 3sario 4iden 4ton1 3ttygirl 2imavera 4etim 4rose 3ncesa 7s 81
  8a 6to 5ipe 4gles 3scill 3vate1 3yanka 2ofesso 3methe 3spero 3verbs 1sychnau 8t1 1tfe3xxp 1ufunga7782 2llings
  2mpkin1 7s 2nisher 3krock 2ppydog 2ravida 2ssy123 54me 5cat 5eat 8er 5licker 6ov 8er 5man 1xx3eftp 1yramid1 7s
  0q1234567 88 99 a0 2q2q3q4 8q5 2w2e3r4 8t 95 ay6 12w3e4r5 18zo8wzq 1awsedrf 8tg 2z12345 6wsx 3wsx12 83 6ed 8c 91
  a23 9rfv ctgb 3xsw12 83 621 6ed 8c 9vfr 1pwoeiruty 1q123456 8789 2qq1111 4qqq1 1uality1 3nt4307s 2eenbee
  2icksilver 1w123456 4er34 2aszx12 83 2e123asd 6qwe 3asd123 6zx 8c 91 a23 3dcxzas 4sazxc 3qwe123 3r1234 85 44321
  4asdf 8zxcv 4fdsa 4t123 845 5asdfg 5y00 611 72 83 94 a5 b6 c789 73 621 72 666 677 87 78 699 6asdfgh 6u1 78 7i 8o
  9p a123 6ytrewq 5zui 4zxcv 0r2d2c3p0 7o 13ady41t 14e3w2q1 1adiance 4ohea 8d 5man 2ffaele 2gnarok 2iders1 3nbow1
  76 7s 4drop 4yday 3stlin 2mmstei 8n 3stein 2nchero 3ger01 621 699 6s1 2punzel 2sengan 3putin 3ta220 5man 2ymond1
  2zdvatri 3orbac 1b26dett 1dfhnbhf 1eady2go 3ldeal 4madrid 4time 2bbyt34 3ecca1 2ckless 2d12345 3alert 3baron
  4eard 4irds 3devil 4rago 8n 4warf 3eemed 3green 3head1 7s 4ouse 3light 3neck1 3rider 5ver 4over 3shift 4kins
  4ox04 4torm 3truck 3wing1 7s 2loaded 2mingto 2negade 2pytwjd 8f 2rehepf 3fhfxf 5tre 2view69 6pa 4val47 3oluti
  5ver 1fgbnjirf 2hfntkm 4ufylf 4vtkmrf 4ylfi 3jkbyf 3lbyfk 3njirf 2nfcnhjaf 3thbyf 7rf 4ymrf 2pfynbg 2vbrflpt
  3fcenhf 1hapsody 2bcnbyf 7jxrf 2fcfdbwf 6xbr 4jnrf 2jrjlbk 2tdtlrj 1icardo1 3cardo 3flair 3hard1 72 3kster
  3ochet 2ffraff 2ghtnow 2verrat 5sid 1jcntyrj 2dfktyrj 2hjktdf 2irfrgbde 2ntyjxtr 2yatnrf 3cnfynby 1kfdbfnehf
  2tjgfnhf 1oaddogg 4kill 6ng 4runn 8er 4ster 2bert12 6o1 3inhoo 8d 3otech 5ics 2cheste 3kbott 4etma 8n 4ford
  4hard 4nrol 8l 4port 4roll 4star 4y123 5dog 2lltide 2man123 5ova 5tik 4shka 2naldinho 6o1 77 79 2odypoo 3ster1
  7s 3tbeer 4edit 2sebowl 5ud1 4wood 2tterda 4weil 1salinas 1t6ytere 1uffryde 2nescape 2sh2112 4more 3sell1 4ian7
  3ty123 5dog 0saab9000 2brina1 2ilboat 4fish 4ing1 4ormoon 2lamand 8er 8ra 4sana 3tanat 4ydog 3vatio 6or 2madams
  4ntha 81 3my123 5boy 5dog 3pson1 3sung1 72 3urai1 2ndiego 4man1 4rine 5ock 4y123 5dog 3ity72 89 3tacru 2opaulo
  2pphire 2rah123 4jevo 4sota 4toga 2sha123 6995 86 52010 5_007 2tan666 5a666 3ellit 3riani 2un24865709 3sages
  2vatage 3e13tx 2xophon 2yangku 1carecro 4face 81 2hastie 3eisse 3lampe 3neide 4uffi 3orsch 2imitar 3rocco
  2ooby12 6do 8o 4ter1 72 7s 3rpio1 7n 8s 3tland 4t123 2rabble 4pper 3eamer 4wbal 5you 3ibble 3uffy1 2ubadiv
  1eagrams 6ve 4ulls 3hawks 4orse 3lteam 3rcher 3ttle1 2bastia 7e 8n 2cret12 3urity 2ductive 2gblue2 2infeld
  2minole 3perfi 4rini 2nators 3ha123 3satio 3tinel 2phirot 8h 3tembe 3ultura 2raphim 3endip 5ity 3gbest 4eevna
  3solution 3vice1 2ven777 5of9 5tee 3ilia1 2xlover 3machine 3sexse 4lave 3y1234 4babe 7y 5itch 4feet 4girl 4lady
  4mama 1fgiants 1hadow01 611 72 83 73 669 699 6fa 6s1 3mrock 3ney14 4nara 5on1 3rkman 2eepdog 3lley1 3males
  3rbert 4lock 4man1 3vchenko 2inigami 3tbird 4face 5uck 4head 5ole 2ooter1 3tgun1 4okan 3wboat 4time 2redder
  1idekick 4show 4wind 2emens1 2gmachi 2licone 3ver12 6ad 8o 6fo 2mon123 3pson1 7s 2nfonia 3gapor 3ister 2thlord
  2xtynin 8e 1k84life 3ordie 2ateboa 8rd 2eeter1 3letor 2inhead 3pjack 4per1 3ttles 2orpion 2ydiver 3line1 3pilot
  3tommy 3walke 8r 1lacking 3mdunk 3pnuts 4shot 3veboy 3yer66 86 2eepers 2imed123 4shad 8y 3pknot 81 8666 4pery
  2owhand 4ride 2utwife 1mackdow 8n 3llvil 8le 3rtass 5ies 3shing 2eghead 2ile123 3rnoff 6va 3th123 2oke420 5dog
  5weed 3othie 2uggles 1nakeeye 5man 3pshot 2eakers 2ickers 2oogans 4pdog 8g 3wball 5ird 5oar 8d 4flak 8e 4man1
  2uggles 1obriety 2ccer10 71 72 73 74 75 77 622 3hi2014 3rates 2ftball 4tail 4ware 2jdlg123aljg 2kolova 3rates
  2ldier1 3idsnake 4tari 5ude 3nishko 2nechka 3gbird 3nyboy 3yericsson 4fuck 4vaio 2oners1 2pranos 2rcerer 3rento
  2so123aljg 2ulmate 3thpar 8k 7w 5sid 8e 1paceman 3nking 3rhawk 4kles 4tacu 6n1 817 7s 2ecial1 7k 4trum 3edrac
  3ncer1 2ider12 6ma 8n 91 3tfire 2latter 3inter 2ongebo 8b 3onman 3rtste 2ringst 5ter 3ocket 2yglass 1queaker
  4rting 3irrel 1rilanka 3nivas 1tairway 3lker1 4lion 5one 3mford 4pede 3nislav 4ley1 3rbuck 8s 4craf 8t 4dust
  4fire 6sh 5lee 4gate 6ze 4ligh 8t 6te 4ship 4t123 5rek 4wars 81 2ealth1 3eler1 7s 81 5hea 3inway 3panov 8a 4hani
  5en1 3ve123 3wart1 2ickman 3gmata 3letto 3nger1 5ray 2ocking 3necol 8d 5wal 3ppedby 2range1 7r 5nik 4tfor 5oca
  4wber 8ry 4ycat 3eaming 4koza 3iker1 4pper 3oller 3ummer 4tter 2udent1 4io54 4muff 1ublime1 3marin 3woofer
  2ccess1 3kcock 4dick 4mydick 2garbea 2ikoden 2mmer01 75 76 612 620 669 699 6ti 8me 2ndance 4erla 5vil 3flowe 8r
  3ghile 3light 3ny123 5day 3rise1 3shine 81 2per123 5bee 6ow 7y 5dog 6up 8er 5fly 5girl 5man 81 5nov 8a 5son 8ic
  6ta 8r 2rfing1 3veyor 4ivor 1vetlana 7ka 1wallows 2eetass 5hea 5ie1 5nes 8s 5pea 3tlana 2immer1 5ing 3ngers 5ing
  2ordfis 8h 1ycamore 2lvania 4este 2ncmast 8er 2racuse 2sadmin 3tem32 0t34vfrc1991 1abbycat 2cobell 2ekwond 8o
  2gheuer 2ilgate 2jmahal 2kamine 3e8422 4hana 2lisman 2merlan 3pabay 2nechka 3gerin 8e 3staaf 2rantul 3heel1 7s
  2shkent 2ylor12 2zdevil 3mania 1eacher1 3mwork 2chnics 3umseh 2ddy123 5bea 8r 2iubesc 2lecast 4mark 4phon 5ort
  4visi 6zor 2mp1234 4orar 4pass 4tress 2nerife 3nesse 2quiero 5la1 2rminat 8or 3rapin 4iers 2st1234 4ibil 5ng1
  823 4pass 1hailand 3natos 4kyou 2ebeast 3clash 3doors 3flash 4orce 3great 3joker 3last1 3master 5tri 8x 3raven
  4ock1 3saint 3tachi 4hing 4ruth 3world 2inkpad 3rdeye 4teen 3sisit 6me 4suck 2omas01 612 83 3r5200 4sten 2reesom
  2uglife 3mbnils 4per1 3nder1 72 7b 8ird 7s 1iberian 6us 2ckling 6sh 4tock 2ffany1 2ger123 5cat 5lil 5man 5woo
  3ger01 612 669 3htass 2mebomb 4lord 4port 3othy1 4xa94 2nkerbe 8l 9l 2ramisu 2tanic1 6um 3leist 4over 3snass
  1kbpfdtnf 1okenbad 3iohotel 2mahawk 3bston 3my123 5boy 5gun 3servo 2nyhawk 2olshed 4time 3narmy 4porn 3short
  4weet 2polino 3secre 8t 2riamos 3nado1 3onto1 3toise 2shiba1 2ttenha 8m 2uchdow 3ghguy 3louse 1rader12 3fford
  3ilers 3nmere 4sam1 5exual 5for 5lator 5por 3shman 3veler 6le 5sti 2easure 3efrog 4tops 2fnthbyf 2iangle 3force
  3gger1 3nitro 8n 6y1 3plets 3stan1 3umph1 2ojans1 3mbone 3oper1 7s 3uble1 4sers 2ucker1 7s 5ing 3eblue 4love
  3ffles 3mpet1 3stn01 6o1 7o 8ne 2yagain 1unafish 2rkey50 1wilight 3sted1 1yler123 0ufhvjybz 1hbujhbq 1kflbfnjh
  5jkec 1ltimate 3raman 1mbrella 1ncencored 2derdog 5par 5tak 8er 6ow 2icorn1 3versa 7i 1rsitesux 1sername 2marine
  3c0311 41775 2uckballz1 1tahjazz 2yyflbq 0vacation 2gabond 2ldemar 5pen 3entin 8a 4rie1 6ya 3halla 3kyrie 3leywa
  2mpire1 2ncouve 3essa1 3guard 3halen 3yarespekt 2seline 3ileva 5isa 2toloco 2uxhall 2z21099 1egas123 2hpbkrf
  2ndetta 3ezuel 3om121293 2rbatim 3geten 3itech 4zon1 3mont1 3onika 3ygood 1fhbyjxrf 3nsirf 3ufhbnf 3vtkfl
  2itymrf 2kmdbyf 2lfufcrfh 2nbkmlf 3tvfnbrf 2pfafrf 2rcbvec 6rf 3fhjdf 6ys 2vfbgfgf 4gfgf 8z 4vskfhfve 2ylfhby
  1ibrator 2cecity 3toria1 6y1 2ewsoni 8c 2kings1 3toria 7ya 2ncent1 2olator 4etta 2per123 5gts 2rginie 2ttoria 7o
  2vitron 1jhjpjdf 3rjdrf 2qgfhjkm 1kontakte 1lad1996 77 47788 4imir 5slav 4vlad 1odafone 2lition 3kodav 4swag 8en
  3leyba 3taire 2nnegut 2yager1 1qsablpzla 1sjasnel12 1thctltc 1yjujnjxbt 0w1w2w3w4 1achtwoord 2ffenss 2llace1
  2nderer 3tsome 2papapa 2rcraft 81 83 3eagle 4hous 3games 3hamme 8r 3rior1 7s 2sdwasd 3hingt 2tchmen 3er123 5boy
  5fal 5loo 5mel 8on 5pol 8o 5ski 1dtnjxtr 1eare138 2bhompas 9s 3maste 8r 3sol76 6utions 4ter1 2dnesda 2lcome1 823
  72 3kom01 3lcome 4done 4hung 4ingt 2rewolf 3onika 2stbrom 4coas 8t 4ham1 4life 4port 4side 4wind 5ood 2tpussy
  1g8e3wjf 1hatever 81 4isit 4thefuck 2iplash 3skers 6y1 4tler 3teboy 5out 5power 5sox 4ney1 2ocares 3knows 3opass
  3syourdaddy 1ildbill 5lue 4card 6t1 7s 4fire 4roid 6se 4wood 3liam1 72 73 2nchest 3dmill 4ows1 4star 5urf 3gchun
  4zero 3ston1 72 3ter01 612 699 2sconsi 3hbone 1ladimir 1olfgang 4pack 3verin 8e 2nderboy 6fu 3kette 2odduck
  4land 4stoc 8k 4work 3fwoof 2rdpass 3ldcup 3mwood 1p2003wp 1rangler 2est666 5lin 2inkle1 75 7s 1tpmjgda
  0x72jhhu3z 1access2 2kep1234 1boxlive 1country 1sw21qaz 43edc 1thtgfirf 0yamahar1 76 2nkees1 72 3ochka 2rdbird
  3oslav 1brjkftdbx 1eahbaby 3r2000 75 2sterda 1fcntymrf 2nfitymrf 1ingyang 1jdsqgfhjkm 5ujl 1ogibear 2rkshir
  4town 2semite 2uandme 3rmama 1tngfhjkz 2rhjvfyn 2yfdbcnm 1vtte545 1y5rbfsc 0z1x2c3v4 8b5 1achary1 2nzibar
  2q12345 5wsx 4xsw2 8cde3 3wsxcde 3xswcde 2ratustra 2xscdvf 1cxfcnkbdf 1enit2011 2ppelin 2rocool 1igazaga 2ldjian
  2nedine 1olushka 1x123456 8789 2asqw12 2casdqwe 9123 3v1234 4asdf 4b123 845 5n12 83 6m1 82 93 7m 4vcxz 1z8807zpl
  2zzzzz1`;

let known: ReadonlySet<string> | undefined;

/** The list in plain form. Unpacked once in an isolate, at the first new password. */
export function topPasswords(): ReadonlySet<string> {
  if (known !== undefined) return known;
  const passwords = new Set<string>();
  let previous = '';
  for (const entry of frontCoded.trim().split(/\s+/)) {
    previous = previous.slice(0, Number.parseInt(entry.charAt(0), 36)) + entry.slice(1);
    passwords.add(previous);
  }
  known = passwords;
  return passwords;
}
