from morefollows.run.command import main

main()
