using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dunlin.TestKit.Brokers;

/// <summary>A certificate authority with its certificates as PEM files in a temporary folder, made in this process.</summary>
public sealed class TestPki : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-pki-").FullName;
    private readonly X509Certificate2 _ca;
    private readonly CertificateRevocationListBuilder _revoked = new();
    private int _serial = 100;

    public TestPki()
    {
        _ca = MakeAuthority("Dunlin Test CA");
        CaFile = Write("ca.pem", _ca.ExportCertificatePem());
        Server = IssueServer("server", "localhost");
        ExpiredServer = IssueServer("expired-server", "localhost", Now.AddDays(-30), Now.AddDays(-1));
        FutureServer = IssueServer("future-server", "localhost", Now.AddDays(1), Now.AddDays(30));
        WrongHostServer = IssueServer("wrong-host", "somewhere.example");
        RevokedServer = IssueServer("revoked-server", "localhost");
        Revoke(RevokedServer, _revoked);
        ExpiredClient = IssueClient("expired-client", Now.AddDays(-30), Now.AddDays(-1));
        RevokedClient = IssueClient("revoked-client");
        Revoke(RevokedClient, _revoked);
        using var stranger = MakeAuthority("Dunlin Test CA");
        StrangerClient = Issue("stranger", null, null, null, stranger);
        StrangerCaFile = Write("stranger-ca.pem", stranger.ExportCertificatePem());
        CrlFile = Write("crl.pem", MakeCrl(_revoked, _ca));
        using var other = MakeAuthority("Dunlin Other CA");
        var othersRevoked = new CertificateRevocationListBuilder();
        Revoke(Server, othersRevoked);
        CrlsFile = Write("crls.pem", $"{MakeCrl(othersRevoked, other)}\n{File.ReadAllText(CrlFile)}");
        ServerFiles = Server;
    }

    public string CaFile { get; }

    /// <summary>A certificate authority of the same name that signed nothing of ours but <see cref="StrangerClient"/>.</summary>
    public string StrangerCaFile { get; }

    /// <summary>Lists <see cref="RevokedServer"/> and <see cref="RevokedClient"/>.</summary>
    public string CrlFile { get; }

    /// <summary>The list of another authority, which has revoked one of the serial number of <see cref="Server"/>, and then that of <see cref="CrlFile"/>.</summary>
    public string CrlsFile { get; }

    public CertificateFiles Server { get; }
    public CertificateFiles ExpiredServer { get; }
    public CertificateFiles FutureServer { get; }
    public CertificateFiles WrongHostServer { get; }
    public CertificateFiles RevokedServer { get; }
    public CertificateFiles ExpiredClient { get; }
    public CertificateFiles RevokedClient { get; }
    public CertificateFiles StrangerClient { get; }

    /// <summary>What a broker of these settings shows; <see cref="Server"/> unless a test puts another here before it starts.</summary>
    public CertificateFiles ServerFiles { get; set; }

    internal string ServerCertificateFile => ServerFiles.Certificate;
    internal string ServerKeyFile => ServerFiles.Key;
    internal string ClientCrlFile => CrlFile;

    /// <summary>A client certificate; its CN is the device id.</summary>
    public CertificateFiles IssueClient(string name, DateTimeOffset? from = null, DateTimeOffset? until = null) =>
        Issue(name, null, from, until, _ca);

    /// <summary>A client certificate of an authority that <see cref="CaFile"/> signed; its file holds both, the client's first.</summary>
    public CertificateFiles IssueClientOfAnIntermediate(string name)
    {
        using var intermediate = MakeAuthority("Dunlin Test Intermediate", _ca);
        var files = Issue(name, null, null, null, intermediate);
        File.AppendAllText(files.Certificate, intermediate.ExportCertificatePem() + "\n");
        return files;
    }

    public CertificateFiles IssueServer(string name, string host, DateTimeOffset? from = null, DateTimeOffset? until = null) =>
        Issue(name, host, from, until, _ca);

    public void Dispose()
    {
        _ca.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private CertificateFiles Issue(string name, string? host, DateTimeOffset? from, DateTimeOffset? until, X509Certificate2 issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid(host is null ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, true, false));
        if (host is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(host);
            if (host == "localhost") names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }

        var serial = BitConverter.GetBytes(IPAddress.HostToNetworkOrder(++_serial));
        using var certificate = request.Create(issuer, from ?? Now.AddDays(-40), until ?? Now.AddDays(300), serial);
        return new CertificateFiles(
            Write($"{name}.pem", certificate.ExportCertificatePem()), Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    private static void Revoke(CertificateFiles files, CertificateRevocationListBuilder list)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(files.Certificate);
        list.AddEntry(certificate, Now.AddDays(-1));
    }

    private static string MakeCrl(CertificateRevocationListBuilder list, X509Certificate2 authority) =>
        PemEncoding.WriteString("X509 CRL", list.Build(authority, 1, Now.AddDays(100), HashAlgorithmName.SHA256, thisUpdate: Now.AddDays(-1)));

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text + "\n");
        return path;
    }

    private static X509Certificate2 MakeAuthority(string name, X509Certificate2? signer = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (signer is null) return request.CreateSelfSigned(Now.AddDays(-50), Now.AddDays(400));
        using var certificate = request.Create(signer, Now.AddDays(-45), Now.AddDays(350), [1]);
        return certificate.CopyWithPrivateKey(key);
    }
}

/// <summary>Paths of a PEM certificate and its PKCS#8 key.</summary>
public sealed record CertificateFiles(string Certificate, string Key);
