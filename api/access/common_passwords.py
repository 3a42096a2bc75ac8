"""Passwords that head every list of leaked ones, the world's and Indonesia's, in lower case.

Ten characters are the least a password may have, so short ones need no line of their own; but trailing digits and signs
are cut before a comparison too: `password` stands for `password123!` as well.
"""

from __future__ import annotations

_TEXT = """
0987654321 1029384756 1122334455 123123123123 1231231234 1234512345 123456123456 12345678910 123456789a
123456789q 12345qwert 12345qwerty 147258369 1472583690 159357456 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc
1qazxsw23edc 9876543210 a123456789 a1b2c3d4e5 aa12345678 aa123456789 abc123456789 abcd123456 abcd1234567
abcde12345 abcdef1234 abcdefg123 abcdefg1234 admin12345 adminadmin administrator akucantik akucintakamu
akuganteng akusayangkamu alhamdulillah allahuakbar anakanakku anjinggila anjingkau aremaindonesia asdf123456
asdfasdfasdf asdfghjkl asdfghjkl1 asdfghjkl123 azertyuiop babyganteng bandung123 basketball beautiful1 bismillah
bismillah1 bismillah123 bismillahirrahmanirrahim bpjsketenagakerjaan bpjstkbpjstk bukadong123 butterfly1
changeme123 chocolate1 christopher cintaindonesia cintakamu cintaku123 cintasejati cintaselamanya computer123
contrasena default123 dilarangmasuk doraemon123 dragon12345 dragonball football123 freedom123 gajahmada1
gantengbanget garuda12345 hariini123 hello12345 hellokitty helloworld ilovejesus iloveyou12 iloveyou123
iloveyou1234 iloveyousomuch indonesia indonesia1 indonesia123 indonesia1945 indonesiaku indonesiaraya
internet123 jakarta123 jakarta2024 jaminanharitua jesus12345 jesuschrist jmomobile123 kamucantik kamuganteng
kamukamukamu katasandi katasandi1 katasandi123 katasandiku keluargabahagia keluargaku kesayangan kucingku123
kupukupu123 letmein123 letmeinnow liverpool1 liverpoolfc login12345 loveyou123 lupakatasandi lupapassword
mamapapa mamapapa123 manchester manchesterunited mantap12345 mantapjiwa masterkey1 medan12345 merdeka123
merdeka1945 metallica1 michael123 microsoft1 minecraft1 monkey12345 muhammad12 muhammad123 muhammadsaw
mypassword mypassword1 myspace123 naruto12345 p4ssw0rd123 p@ssw0rd p@ssw0rd1 p@ssw0rd12 p@ssw0rd123 p@ssword123
pa$$w0rd123 pass123456 pass1234567 passpasspass passw0rd12 passw0rd123 password password1 password12 password123
password1234 password12345 passwordku passwordpassword pekerja123 persibbandung persija1928 perusahaan
poiuytrewq pokemon1234 princess12 princess123 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc qazwsxedc1 qazwsxedc123
qazwsxedcrfv qwe123qwe123 qweasdzxc qweasdzxc1 qweasdzxc123 qweqweqwe qwer123456 qwer1234qwer qwert12345
qwerty1234 qwerty12345 qwerty123456 qwertyqwerty qwertyuiop qwertyuiop1 qwertyuiop123 qwertyuiop[] rahasia
rahasia123 rahasia1234 rahasia12345 rahasiakita rahasiaku rahasianegara sayang12345 sayang123456 sayangkamu
sayangku sayangku123 selamatdatang selamatpagi semangat123 semangat45 sepakbola1 siapakamu123 spongebob1
starwars123 subhanallah sunshine12 sunshine123 superman12 superman123 surabaya123 surabaya31 terimakasih
terserahlah test123456 testing123 testtest123 thankyou123 tidakada123 tinkerbell trustno1trustno1 unknown123
victoria123 welcome123 welcome1234 whatever123 yogyakarta zaq12wsxcde zaq1zaq1zaq1 zxcvbnm,./ zxcvbnm123
zxcvbnmasd
"""
COMMON = frozenset(_TEXT.split())
