using Dunlin.TestKit;
using Dunlin.TestKit.Machine;

namespace Dunlin.EndToEnd.Tests.Packages;

/// <summary>Scripts of <c>packaging/</c>, apart from what they would build or install.</summary>
public sealed class ScriptTests : IDisposable
{
    private const string MitPackage = "<license type=\"expression\">MIT</license><copyright>Copyright A. Nobody</copyright>";

    // Not below /tmp, which the camera test refuses.
    private readonly TemporaryFolder _space = new(inMemory: true);

    [Fact]
    public async Task TheNoticesNameEachPackageOnceWithItsLicenceAndTexts()
    {
        Package("first", "1.0.0", MitPackage, ("THIRD-PARTY-NOTICES.TXT", "a text of others\n"));
        Package("second", "2.0.0", MitPackage, ("THIRD-PARTY-NOTICES.TXT", "a text of others\n"));
        Package("third", "3.0.0", "<license type=\"file\">LICENSE</license><authors>B. Somebody</authors>", ("LICENSE", "do what you like\n"));
        var (code, output) = await NoticesAsync(
            "/anywhere/artifacts/bin/Bundles/release/Dunlin.Bundles.dll", _space["first/1.0.0/lib/net10.0/A.dll"], _space["first/1.0.0/lib/net10.0/B.dll"], _space["second/2.0.0/lib/C.dll"], _space["third/3.0.0/lib/D.dll"]);
        Assert.True(code == 0, output);
        Assert.Contains("== first 1.0.0\nCopyright: Copyright A. Nobody\nLicence: MIT\n\nTHIRD-PARTY-NOTICES.TXT:\na text of others\n\n== second 2.0.0", output, StringComparison.Ordinal);
        Assert.Contains("THIRD-PARTY-NOTICES.TXT: that of first, above", output, StringComparison.Ordinal);
        Assert.Contains("== third 3.0.0\nCopyright: B. Somebody\nLicence: as in LICENSE, below\n\nLICENSE:\ndo what you like\n", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<licenseUrl>https://licences.example/own</licenseUrl>")]
    [InlineData("<license type=\"expression\">GPL-3.0-only</license>")]
    [InlineData("<license type=\"file\">LICENSE</license>")]
    public async Task APackageWhoseLicenceIsNotKnownIsNotShipped(string licence)
    {
        Package("odd", "1.0.0", licence);
        var (code, output) = await NoticesAsync(_space["odd/1.0.0/lib/net10.0/Odd.dll"]);
        Assert.Equal(1, code);
        Assert.Contains($"package '{_space["odd/1.0.0"]}' is compiled in", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsCompiledInAndOfNoPackageIsNotShipped()
    {
        var (code, output) = await NoticesAsync(_space["nowhere/Odd.dll"]);
        Assert.Equal(1, code);
        Assert.Contains($"'{_space["nowhere/Odd.dll"]}' is compiled in and of no NuGet package", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheCameraTestRunsAlsoWhereTheFoldersNameMeansSomethingToAShell()
    {
        var folder = Directory.CreateDirectory(_space["it's$HOME"]).FullName;
        var (code, output) = await CameraTestAsync(folder, "-method", "A name");
        Assert.True(code == 0, output);
        var program = Path.Join(folder, "artifacts/bin/Runtime.Tests/release/Dunlin.Runtime.Tests");
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        await File.WriteAllTextAsync(program, "#!/bin/sh\nprintf '<%s>' \"$@\"", TestContext.Current.CancellationToken);
        await Tool.SucceedAsync("chmod", "755", program);
        Assert.Equal("<-noColor><-class><*VividTests><-method><A name>", await Tool.SucceedAsync("bash", Path.Join(folder, "artifacts/camera-test.sh")));
    }

    [Fact]
    public async Task TheCameraTestSaysThatAKernelsCommandLineTakesNoBlanks()
    {
        var (code, output) = await CameraTestAsync(Directory.CreateDirectory(_space["two words"]).FullName);
        Assert.Equal(1, code);
        Assert.Contains("two words' has blanks", output, StringComparison.Ordinal);
    }

    public void Dispose() => _space.Dispose();

    // A package as NuGet restores it.
    private void Package(string id, string version, string metadata, params ReadOnlySpan<(string Name, string Text)> texts)
    {
        Directory.CreateDirectory(_space[$"{id}/{version}/lib/net10.0"]);
        File.WriteAllText(_space[$"{id}/{version}/{id}.nuspec"], $"<package>\n<metadata>\n<id>{id}</id>\n<version>{version}</version>\n{metadata}\n</metadata>\n</package>\n");
        foreach (var (name, text) in texts) File.WriteAllText(_space[$"{id}/{version}/{name}"], text);
    }

    private async Task<(int ExitCode, string Output)> NoticesAsync(params string[] references)
    {
        await File.WriteAllLinesAsync(_space["compiler.rsp"], ["-o:somewhere.o", .. references.Select(reference => $"-r:{reference}")], TestContext.Current.CancellationToken);
        return await Tool.RunAsync("bash", Path.Join(RepositoryFolder.Root, "packaging/notices.sh"), _space["compiler.rsp"]);
    }

    // As far as the script for the machine; nothing is installed, built or booted.
    private static async Task<(int ExitCode, string Output)> CameraTestAsync(string folder, params string[] arguments)
    {
        Directory.CreateDirectory(Path.Join(folder, "packaging"));
        Directory.CreateDirectory(Path.Join(folder, "artifacts"));
        File.CreateSymbolicLink(Path.Join(folder, "packaging/camera-vm.sh"), "/bin/true");
        const string script = """cd "$1"; . "$2"; shift 2; need() { :; }; compile() { :; }; target_camera_test "$@" """;
        return await Tool.RunAsync("bash", ["-euc", script, "bash", folder, Path.Join(RepositoryFolder.Root, "packaging/targets/camera-test.sh"), .. arguments]);
    }
}
