from morefollows.cli.main import main

main()
